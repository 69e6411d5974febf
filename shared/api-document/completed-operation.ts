// An operation as it stands in the document: what its schemas say, what is said of it, and how it can fail.
import type { JsonValue } from '../json-value.ts';
import type { DocumentedRoute, DocumentParts } from './document-parts.ts';
import { errorAnswers } from './error-answers.ts';
import type {
  ApiContent,
  ApiMedia,
  ApiOperation,
  ApiParameter,
  ApiReference,
  ApiRequestBody,
  ApiResponse,
  ApiSchema,
} from './openapi.ts';
import type { Operation, OperationAnswer } from './operation.ts';
import { exampleOf } from './schema-example.ts';

type Parts = Pick<DocumentParts, 'accessOf' | 'failures'>;

export function errorCodesOf(
  { errors = [] }: Operation,
  route: DocumentedRoute,
  { accessOf }: Parts,
): string[] {
  return [...accessOf(route).errors, ...errors];
}

/** @param bare what the schemas of the route make of it. */
export function completeOperation(
  bare: ApiOperation,
  operation: Operation,
  route: DocumentedRoute,
  parts: Parts,
): ApiOperation {
  const { id, tag, summary, headers = [] } = operation;
  const { security, needs, answerHeaders = [] } = parts.accessOf(route);
  const description = [operation.description, needs].filter((text) => text !== undefined);
  const requestBody = bodyOf(bare, operation);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description.length === 0 ? {} : { description: description.join('\n\n') }),
    security: operation.security ?? security,
    parameters: [...parametersOf(bare), ...headerParameters(['X-Request-Id', ...headers])],
    ...(requestBody === undefined ? {} : { requestBody }),
    responses: {
      ...goodAnswers(bare, operation, answerHeaders),
      ...errorAnswers(errorCodesOf(operation, route, parts), parts.failures),
    },
  };
}

function parametersOf({ parameters = [] }: ApiOperation): (ApiParameter | ApiReference)[] {
  return parameters.map((parameter) => {
    if (!('name' in parameter)) return parameter;
    const { name, in: place, description, schema = {} } = parameter;
    return {
      name,
      in: place,
      ...(description === undefined ? {} : { description }),
      required: parameter.required === true && schema.default === undefined,
      schema: withExample(schema, parameter.example),
    };
  });
}

/** In the schema: an example of the parameter itself would be sent by whoever tries the operation out on /docs. */
function withExample(schema: ApiSchema, example: JsonValue | undefined): ApiSchema {
  return example === undefined ? schema : { ...schema, examples: [example] };
}

function headerParameters(names: readonly string[]): ApiReference[] {
  return names.map((name) => ({ $ref: `#/components/parameters/${name}` }));
}

function bodyOf(
  { requestBody }: ApiOperation,
  { form, hasOptionalBody = false }: Operation,
): ApiRequestBody | undefined {
  if (form !== undefined) {
    const media = { schema: asSent(form), example: exampleOf(form) };
    return { required: true, content: { 'multipart/form-data': media } };
  }
  if (requestBody === undefined) return undefined;
  const content = withExamples(requestBody.content);
  return { required: !hasOptionalBody, content: mapMedia(content, withSchemaAsSent) };
}

function withSchemaAsSent(media: ApiMedia): ApiMedia {
  return media.schema === undefined ? media : { ...media, schema: asSent(media.schema) };
}

/** Fastify fills the defaults in before it asks what is required. */
function asSent(schema: ApiSchema): ApiSchema {
  const { required: all = [], ...rest } = schema;
  const required = all.filter((name) => rest.properties?.[name]?.default === undefined);
  return required.length === 0 ? rest : { ...rest, required };
}

function goodAnswers(
  bare: ApiOperation,
  { id, answers }: Operation,
  headersOfAll: readonly string[],
): Record<string, ApiResponse> {
  const fromSchemas = new Map(Object.entries(bare.responses).filter(hasContent));
  const told = Object.entries(answers).map(([status, answer]): [string, ApiResponse] => {
    const content = fromSchemas.get(status)?.content;
    fromSchemas.delete(status);
    return [status, goodAnswer(answer, content, headersOfAll)];
  });
  const [untold] = fromSchemas.keys();
  if (untold === undefined) return Object.fromEntries(told);
  throw new TypeError(`the operation ${id} does not say what ${untold} is`);
}

function hasContent(entry: [string, ApiResponse | ApiReference]): entry is [string, ApiResponse] {
  return 'content' in entry[1];
}

function goodAnswer(
  answer: OperationAnswer,
  content: ApiContent | undefined,
  headersOfAll: readonly string[],
): ApiResponse {
  const { description, headers = [], stream, content: otherContent } = answer;
  const all: ApiContent = {
    ...(content === undefined ? {} : withExamples(content)),
    ...otherContent,
    ...(stream === undefined ? {} : { 'text/event-stream': stream }),
  };
  return {
    description,
    headers: headerReferences(['X-Request-Id', ...headersOfAll, ...headers]),
    ...(Object.keys(all).length === 0 ? {} : { content: all }),
  };
}

function headerReferences(names: readonly string[]): Record<string, ApiReference> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function withExamples(content: ApiContent): ApiContent {
  return mapMedia(content, (media) =>
    media.schema === undefined || media.example !== undefined || media.examples !== undefined
      ? media
      : { ...media, example: exampleOf(media.schema) },
  );
}

function mapMedia(content: ApiContent, change: (media: ApiMedia) => ApiMedia): ApiContent {
  return Object.fromEntries(Object.entries(content).map(([type, media]) => [type, change(media)]));
}
