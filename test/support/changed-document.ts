import type {
  ApiContent,
  ApiOperation,
  ApiParameter,
  ApiSchema,
  OpenApiDocument,
} from '#shared/api-document/openapi.ts';

// Documents of one operation, to be changed.
import { breakingChanges } from '../../cli/openapi/breaking-changes.ts';

export type Parts = {
  body?: ApiSchema | null;
  isBodyRequired?: boolean;
  answer?: ApiSchema;
  answers?: ApiOperation['responses'];
  parameters?: ApiParameter[];
  security?: ApiOperation['security'];
  schemas?: Record<string, ApiSchema>;
  scheme?: string;
};

export function documentOf(parts: Parts = {}): OpenApiDocument {
  const { body = {}, isBodyRequired = true, answer = {}, parameters = [], security = [] } = parts;
  const operation: ApiOperation = {
    ...{ security, parameters },
    ...(body === null ? {} : { requestBody: { required: isBodyRequired, content: content(body) } }),
    responses: parts.answers ?? { 200: { description: '', content: content(answer) } },
  };
  const securitySchemes = { token: { type: 'http', scheme: parts.scheme ?? 'bearer' } };
  return {
    openapi: '3.1.0',
    info: { title: '', version: '' },
    paths: { '/run': { post: operation } },
    components: { schemas: parts.schemas ?? {}, securitySchemes },
  };
}

function content(schema: ApiSchema): ApiContent {
  return { 'application/json': { schema } };
}

/** What breaks apps, of the one operation that both have. */
export function changes(before: Parts, after: Parts): string[] {
  return breakingChanges(documentOf(before), documentOf(after)).map(({ change }) => change);
}

export const text: ApiSchema = { type: 'string' };
export const whole: ApiSchema = { type: 'integer' };
export const nullable = (schema: ApiSchema): ApiSchema => ({ anyOf: [schema, { type: 'null' }] });
export const object = (
  properties: Record<string, ApiSchema>,
  required: string[] = [],
  additionalProperties: ApiSchema | boolean = false,
): ApiSchema => ({ type: 'object', properties, required, additionalProperties });
