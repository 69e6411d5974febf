// What of a changed document breaks a client that was written for the one before.
import type {
  ApiContent,
  ApiOperation,
  ApiParameter,
  ApiReference,
  ApiRequestBody,
  ApiResponse,
  OpenApiDocument,
} from '#shared/api-document/openapi.ts';

import { resolve } from './reference.ts';
import { schemaChanges } from './schema-changes.ts';
import type { ComparedDocuments, Comparison } from './schema-changes.ts';
import { securityChanges } from './security-changes.ts';

export type BreakingChange = {
  /** Such as `POST /run`. */
  operation: string;
  change: string;
};

export function breakingChanges(before: OpenApiDocument, after: OpenApiDocument): BreakingChange[] {
  return operationsOf(before).flatMap(({ path, method, operation: old }) => {
    const now = after.paths[path]?.[method];
    const changes = now === undefined ? ['is gone'] : operationChanges(old, now, { before, after });
    const name = `${method.toUpperCase()} ${path}`;
    return [...new Set(changes)].map((change) => ({ operation: name, change }));
  });
}

function operationsOf({ paths }: OpenApiDocument) {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
}

function operationChanges(
  before: ApiOperation,
  after: ApiOperation,
  documents: ComparedDocuments,
): string[] {
  return [
    ...securityChanges(before, after, documents),
    ...parameterChanges(before, after, documents),
    ...bodyChanges(before.requestBody, after.requestBody, documents),
    ...answerChanges(before, after, documents),
  ];
}

function parameterChanges(
  before: ApiOperation,
  after: ApiOperation,
  documents: ComparedDocuments,
): string[] {
  const olds = parametersOf(before, documents.before);
  const news = parametersOf(after, documents.after);
  const comparison = newComparison(documents, 'request');
  const changed = [...olds].flatMap(([at, old]) => {
    const now = news.get(at);
    if (now === undefined) return [`${at}: is not taken any more`];
    const isOwed = now.required === true && old.required !== true;
    const schemas = { before: old.schema ?? {}, after: now.schema ?? {}, at };
    return [...(isOwed ? [`${at}: is required now`] : []), ...schemaChanges(schemas, comparison)];
  });
  const added = [...news]
    .filter(([at, { required }]) => required === true && !olds.has(at))
    .map(([at]) => `${at}: is required now`);
  return [...changed, ...added];
}

function parametersOf(
  { parameters = [] }: ApiOperation,
  document: OpenApiDocument,
): Map<string, ApiParameter> {
  return new Map(
    parameters.map((each) => {
      const parameter = resolve<ApiParameter>(each, document);
      const { in: place, name } = parameter;
      return [`${place} ${place === 'header' ? name.toLowerCase() : name}`, parameter];
    }),
  );
}

function bodyChanges(
  before: ApiRequestBody | undefined,
  after: ApiRequestBody | undefined,
  documents: ComparedDocuments,
): string[] {
  if (before === undefined) return after?.required === true ? ['a body is required now'] : [];
  if (after === undefined) return ['a body is not taken any more'];
  const isOwed = after.required === true && before.required !== true;
  const comparison = newComparison(documents, 'request');
  return [
    ...(isOwed ? ['a body is required now'] : []),
    ...contentChanges(before.content, after.content, 'body', comparison),
  ];
}

function answerChanges(
  before: ApiOperation,
  after: ApiOperation,
  documents: ComparedDocuments,
): string[] {
  const comparison = newComparison(documents, 'answer');
  return Object.entries(before.responses).flatMap(([status, each]) => {
    const now = after.responses[status];
    const at = `answer ${status}`;
    if (now === undefined) return [`${at}: is gone`];
    const [old, changed] = [answer(each, documents.before), answer(now, documents.after)];
    const goneHeaders = Object.keys(old.headers ?? {})
      .filter((name) => !Object.hasOwn(changed.headers ?? {}, name))
      .map((name) => `${at}: the header ${name} is gone`);
    return [
      ...goneHeaders,
      ...contentChanges(old.content ?? {}, changed.content ?? {}, at, comparison),
    ];
  });
}

function answer(response: ApiResponse | ApiReference, document: OpenApiDocument): ApiResponse {
  return resolve<ApiResponse>(response, document);
}

function contentChanges(
  before: ApiContent,
  after: ApiContent,
  at: string,
  comparison: Comparison,
): string[] {
  return Object.entries(before).flatMap(([type, { schema: old = {} }]) => {
    const now = after[type];
    if (now === undefined) return [`${at}: ${type} is gone`];
    return schemaChanges({ before: old, after: now.schema ?? {}, at }, comparison);
  });
}

function newComparison(documents: ComparedDocuments, side: Comparison['side']): Comparison {
  return { ...documents, side, open: [], isStream: false };
}
