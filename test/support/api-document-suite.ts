// What holds for the document of every service of ours: it is whole, and true to itself.
import { describe, expect, test } from 'vitest';

import type {
  ApiContent,
  ApiMedia,
  ApiOperation,
  ApiParameter,
} from '#shared/api-document/openapi.ts';

import { resolve } from '../../cli/openapi/reference.ts';
import { illustratedSchemas } from './committed-api.ts';
import type { CommittedApi, DocumentedOperation } from './committed-api.ts';

export type ApiExpectations = {
  /** The `security` that an operation may have. */
  callers: readonly ApiOperation['security'][];
  /** The statuses of failures that an operation has to have. */
  failuresOf: (operation: DocumentedOperation) => string[];
  /** Answers beyond 2xx that are no failures, such as `/readyz 503`. */
  otherAnswers?: readonly string[];
};

export function describeApiDocument(api: CommittedApi, expectations: ApiExpectations): void {
  describe('the whole', () => {
    describeWhole(api);
  });
  describe.each(api.operations)('$name', (operation) => {
    describeOperation(operation, api, expectations);
  });
}

function describeWhole({ text, document, operations, misfit }: CommittedApi): void {
  test('has no reference that leads nowhere', () => {
    const references = [...text.matchAll(/"\$ref": "([^"]+)"/g)].map(([, to = '']) => to);
    expect(references.length).toBeGreaterThan(100);
    for (const $ref of new Set(references)) {
      expect(() => resolve({ $ref }, document)).not.toThrow();
    }
  });

  test('has nothing that is not used', () => {
    const { securitySchemes: _schemes, ...components } = document.components;
    const names = Object.entries(components).flatMap(([kind, parts]) =>
      Object.keys(parts).map((name) => `#/components/${kind}/${name}`),
    );
    expect(names.filter((name) => !text.includes(`"$ref": "${name}"`))).toEqual([]);
  });

  test('calls every operation by a name of its own', () => {
    const ids = operations.map(({ operation }) => operation.operationId ?? '');
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.filter((id) => !/^[a-z][A-Za-z]+$/.test(id))).toEqual([]);
  });

  test('has examples and defaults that fit', () => {
    const values = illustratedSchemas(document).flatMap(({ at, schema }) =>
      [...(schema.examples ?? []), schema.default]
        .filter((value) => value !== undefined)
        .map((value) => ({ at, misfit: misfit(schema, value) })),
    );
    expect(values.length).toBeGreaterThan(50);
    expect(values.filter((value) => value.misfit !== null)).toEqual([]);
  });
}

function describeOperation(
  documented: DocumentedOperation,
  { document, answerOf, misfit }: CommittedApi,
  { callers, failuresOf, otherAnswers = [] }: ApiExpectations,
): void {
  const { path, operation } = documented;
  const statuses = Object.keys(operation.responses);
  const good = statuses.filter((status) => status.startsWith('2'));
  const mediaOf = (ofStatuses: readonly string[]): ApiMedia[] =>
    [
      operation.requestBody?.content,
      ...ofStatuses.map((status) => answerOf(operation, status)?.content),
    ].flatMap((content: ApiContent = {}) => Object.values(content));
  const examplesOf = ({ example, examples = {} }: ApiMedia): unknown[] => {
    const named = Object.values(examples).map(
      (each) => resolve<{ value: unknown }>(each, document).value,
    );
    return example === undefined ? named : [example, ...named];
  };

  test('has a summary, a tag and who may call it', () => {
    expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(operation.tags).toHaveLength(1);
    expect(document.tags?.map(({ name }) => name)).toContain(operation.tags?.[0]);
    expect(callers).toContainEqual(operation.security);
  });

  test('declares what stands in its path', () => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const declared = (operation.parameters ?? [])
      .map((each) => resolve<ApiParameter>(each, document))
      .filter((parameter) => parameter.in === 'path');
    expect(declared.map(({ name }) => name)).toEqual(inPath);
    expect(declared.every(({ required }) => required)).toBe(true);
  });

  test('says how it can fail, always in the one form', () => {
    expect(statuses).toEqual(expect.arrayContaining(failuresOf(documented)));
    const failures = statuses
      .filter((status) => !status.startsWith('2'))
      .filter((status) => !otherAnswers.includes(`${path} ${status}`))
      .map((status) => answerOf(operation, status)?.content ?? {});
    for (const content of failures) {
      expect(Object.keys(content)).toEqual(['application/json']);
      expect(content['application/json']?.schema?.$ref).toBe('#/components/schemas/ErrorAnswer');
    }
  });

  test('says what each of its answers is', () => {
    const descriptions = statuses.map((status) => answerOf(operation, status)?.description ?? '');
    expect(descriptions.filter((text) => !/\S/.test(text) || text.includes('Default'))).toEqual([]);
  });

  test('has an example of every body and of every good answer', () => {
    expect(mediaOf(good).filter((each) => examplesOf(each).length === 0)).toEqual([]);
  });

  test('has examples that fit', () => {
    const misfits = mediaOf(statuses).flatMap((each) =>
      examplesOf(each).map((example) => misfit(each.schema ?? {}, example)),
    );
    expect(misfits.filter((found) => found !== null)).toEqual([]);
  });
}
