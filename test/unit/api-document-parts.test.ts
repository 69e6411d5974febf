import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';

import { completeOperation } from '#shared/api-document/completed-operation.ts';
import type { ApiOperation, ApiSchema, OpenApiDocument } from '#shared/api-document/openapi.ts';
import type { Operation } from '#shared/api-document/operation.ts';
import { plainSchema } from '#shared/api-document/plain-schema.ts';
import { exampleOf } from '#shared/api-document/schema-example.ts';
import { shareSchemas } from '#shared/api-document/shared-schemas.ts';

function documentWith(...schemas: ApiSchema[]): OpenApiDocument {
  const content = Object.fromEntries(schemas.map((schema, at) => [`type/${at}`, { schema }]));
  return {
    ...{ openapi: '3.1.0', info: { title: 'not a schema', version: '1' } },
    paths: { '/': { get: { responses: { 200: { description: '', content } } } } },
    components: {},
  };
}

function schemasOf({ paths }: OpenApiDocument): unknown[] {
  const answer = paths['/']?.['get']?.responses['200'] ?? { description: '' };
  return Object.values('content' in answer ? answer.content : {}).map(({ schema }) => schema);
}

describe('a schema with a title', () => {
  const named = { title: 'Named', type: 'string', description: 'a name' };

  test('stands in the document once, and is referred to everywhere else', () => {
    const shared = shareSchemas(documentWith(named, { type: 'array', items: named }));
    const reference = { $ref: '#/components/schemas/Named' };
    expect(schemasOf(shared)).toEqual([reference, { type: 'array', items: reference }]);
    expect(shared.components.schemas).toEqual({ Named: { type: 'string', description: 'a name' } });
    expect(shared.info.title).toBe('not a schema');
  });

  test('keeps what is said of it in one place only', () => {
    const shared = shareSchemas(documentWith(named, { ...named, description: 'another name' }));
    expect(schemasOf(shared)[1]).toEqual({
      ...{ $ref: '#/components/schemas/Named', description: 'another name' },
    });
  });

  test('shares it with no other schema', () => {
    const other = { title: 'Named', type: 'integer' };
    expect(() => shareSchemas(documentWith(named, other))).toThrow('two schemas are called Named');
  });

  test('may contain others, and names and examples that look like one', () => {
    const outer = {
      ...{ title: 'Outer', type: 'object', examples: [{ title: 'Named' }] },
      properties: { title: { type: 'string' }, examples: { type: 'array', items: named } },
    };
    const { schemas } = shareSchemas(documentWith(outer)).components;
    expect(Object.keys(schemas ?? {})).toEqual(['Named', 'Outer']);
    expect(schemas?.['Outer']).toMatchObject({
      examples: [{ title: 'Named' }],
      properties: { examples: { items: { $ref: '#/components/schemas/Named' } } },
    });
  });
});

test.each<[ApiSchema, unknown]>([
  [{ examples: [null, 'b'], default: 'c' }, null],
  [{ const: false }, false],
  [{ type: 'integer', default: 50, minimum: 1 }, 50],
  [{ enum: ['a', 'b'] }, 'a'],
  [{ anyOf: [{ type: 'null' }, { type: 'string' }] }, null],
  [{ oneOf: [{ const: 'a' }, { type: 'null' }] }, 'a'],
  [{ type: 'array', items: { type: 'integer', minimum: 3 } }, [3]],
  [
    { type: 'object', properties: { a: { type: 'boolean' }, b: {} } },
    { a: true, b: null },
  ],
])('%j has an example that is made of its parts', (schema, example) => {
  expect(exampleOf(schema)).toEqual(example);
});

test('a record is written as @fastify/swagger writes it', () => {
  expect(plainSchema(Type.Record(Type.String(), Type.Integer()))).toEqual({
    ...{ type: 'object', additionalProperties: { type: 'integer' } },
  });
});

describe('an operation', () => {
  const said: Operation = {
    ...{ id: 'list', tag: 'runs', summary: 'List', answers: { 200: { description: 'A list.' } } },
  };
  const route = { method: 'GET', config: {} };
  const parts = {
    accessOf: () => ({ security: [], errors: [] }),
    failures: { envelope: { ok: false }, kinds: {}, meanings: {} },
  } as const;
  const bare: ApiOperation = {
    responses: { 200: { description: '', content: { 'application/json': { schema: {} } } } },
  };

  test('does not ask for what has a default, and suggests no value to whoever tries it out', () => {
    const limit = { name: 'limit', in: 'query', required: true, schema: { default: 50 } } as const;
    const after = { name: 'after', in: 'query', required: true, example: 'a', schema: {} } as const;
    const { parameters = [] } = completeOperation(
      { ...bare, parameters: [limit, after] },
      said,
      route,
      parts,
    );
    expect(parameters.slice(0, 2)).toEqual([
      { name: 'limit', in: 'query', required: false, schema: { default: 50 } },
      { name: 'after', in: 'query', required: true, schema: { examples: ['a'] } },
    ]);
  });

  test('does not ask for a field that has a default', () => {
    const schema: ApiSchema = { required: ['a', 'b'], properties: { a: {}, b: { default: 1 } } };
    const requestBody = { content: { 'application/json': { schema } } };
    const { requestBody: body } = completeOperation({ ...bare, requestBody }, said, route, parts);
    expect(body?.content['application/json']?.schema?.required).toEqual(['a']);
    expect(body?.required).toBe(true);
  });

  test('must say what each of its good answers is', () => {
    const created = { ...bare.responses, 201: { description: '', content: {} } };
    expect(() => completeOperation({ responses: created }, said, route, parts)).toThrow(
      'the operation list does not say what 201 is',
    );
  });
});
