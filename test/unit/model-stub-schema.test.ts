import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';

import { minimalValue } from '../../cli/model-stub-schema.ts';

const ajv = new Ajv({ strict: false });

describe('the smallest value of a schema', () => {
  it.each([
    ['nothing required', { type: 'object', properties: { a: { type: 'string' } } }],
    ['a text', object({ type: 'string', minLength: 7 })],
    ['a choice', object({ enum: ['red', 'green'] })],
    ['a constant', object({ const: 42 })],
    ['an integer in bounds', object({ type: 'integer', minimum: 3, maximum: 4 })],
    ['a number above a bound', object({ type: 'number', exclusiveMinimum: 0 })],
    ['a yes or no', object({ type: 'boolean' })],
    ['nothing at all', object({ type: 'null' })],
    ['one of several types', object({ type: ['integer', 'null'] })],
    ['a list with two items', object({ type: 'array', minItems: 2, items: { type: 'integer' } })],
    ['an object in an object', object(object({ type: 'string' }))],
    ['alternatives', object({ anyOf: [{ type: 'integer' }, { type: 'string' }] })],
    ['alternatives beside a type', { ...object({ type: 'string' }), anyOf: [{ required: ['a'] }] }],
  ])('with %s is valid', (_name, schema) => {
    expect(ajv.validate(schema, minimalValue(schema))).toBe(true);
  });

  it('of a schema without end is finite', () => {
    const endless: Record<string, unknown> = { type: 'object', required: ['a'] };
    endless['properties'] = { a: endless };
    expect(JSON.stringify(minimalValue(endless)).length).toBeLessThan(1000);
  });
});

function object(schema: object): object {
  return { type: 'object', properties: { a: schema }, required: ['a'] };
}
