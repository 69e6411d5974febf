import { describe, expect, test } from 'vitest';

import type { ApiParameter, ApiSchema } from '#shared/api-document/openapi.ts';

import { changes, nullable, object, text, whole } from '../support/changed-document.ts';
import type { Parts } from '../support/changed-document.ts';

describe('in a request, it breaks apps', () => {
  test.each<[string, ApiSchema, ApiSchema, string[]]>([
    [
      'that a property is not taken any more',
      object({ a: text, b: text }),
      object({ a: text }),
      ['body.b: is not taken any more'],
    ],
    [
      'that a new property is required',
      object({ a: text }),
      object({ a: text, b: text }, ['b']),
      ['body.b: is required now'],
    ],
    [
      'that a property is required now',
      object({ a: text }),
      object({ a: text }, ['a']),
      ['body.a: is required now'],
    ],
    [
      'that a type is another',
      object({ a: text }),
      object({ a: whole }),
      ['body.a: string is not taken any more'],
    ],
    [
      'that a type is narrower',
      object({ a: { type: 'number' } }),
      object({ a: whole }),
      ['body.a: number is not taken any more'],
    ],
    [
      'that null is not taken any more',
      object({ a: nullable(text) }),
      object({ a: text }),
      ['body.a: null is not taken any more'],
    ],
    [
      'that one of several types is not taken any more',
      object({ a: { type: ['string', 'integer'] } }),
      object({ a: text }),
      ['body.a: integer is not taken any more'],
    ],
    [
      'that a value is not taken any more',
      object({ a: { enum: ['x', 'y'] } }),
      object({ a: { enum: ['x'] } }),
      ['body.a: "y" is not taken any more'],
    ],
    [
      'that only some values are taken',
      object({ a: text }),
      object({ a: { type: 'string', enum: ['x'] } }),
      ['body.a: must be one of ["x"] now'],
    ],
    [
      'that a list or its items are limited more',
      object({ a: { type: 'array', items: text } }),
      object({ a: { type: 'array', maxItems: 2, items: { type: 'string', minLength: 1 } } }),
      ['body.a: maxItems was not there and is 2', 'body.a[]: minLength was not there and is 1'],
    ],
    [
      'that free properties are limited more',
      object({}, [], text),
      object({}, [], { type: 'string', maxLength: 5 }),
      ['body.*: maxLength was not there and is 5'],
    ],
    [
      'that the names of free properties are limited more',
      { type: 'object', propertyNames: { maxLength: 9 } },
      { type: 'object', propertyNames: { maxLength: 5 } },
      ['body names: maxLength was 9 and is 5'],
    ],
    [
      'that other properties are not taken any more',
      object({ a: text }, [], true),
      object({ a: text }),
      ['body.*: is not taken any more'],
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(changes({ body: before }, { body: after })).toEqual(expected);
  });

  test.each([
    ['minimum', 1, 2],
    ['exclusiveMinimum', undefined, 0],
    ['minLength', 1, 2],
    ['minItems', undefined, 1],
    ['minProperties', undefined, 1],
    ['maximum', 5, 4],
    ['exclusiveMaximum', undefined, 4],
    ['maxLength', undefined, 5],
    ['maxItems', 6, 5],
    ['maxProperties', 6, 5],
    ['pattern', '^a', '^b'],
    ['format', undefined, 'date'],
    ['multipleOf', undefined, 2],
    ['uniqueItems', undefined, true],
  ])('that %s is stricter, not that it is looser', (name, loose, strict) => {
    const limited = (limit: unknown): ApiSchema => ({
      ...(limit === undefined ? {} : { [name]: limit }),
    });
    const found = changes({ body: limited(loose) }, { body: limited(strict) });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`body: ${name} was `);
    expect(found[0]).toContain(` and is ${JSON.stringify(strict)}`);
    expect(
      changes({ body: limited(strict) }, { body: name === 'pattern' ? {} : limited(loose) }),
    ).toEqual([]);
  });

  test('that it needs a body, or takes none any more', () => {
    expect(changes({ body: null }, {})).toEqual(['a body is required now']);
    expect(changes({ isBodyRequired: false }, {})).toEqual(['a body is required now']);
    expect(changes({}, { body: null })).toEqual(['a body is not taken any more']);
    expect(changes({}, { isBodyRequired: false })).toEqual([]);
  });

  test('that its parameters are fewer, more of them required, or stricter', () => {
    expect(changes(one(), {})).toEqual(['query limit: is not taken any more']);
    expect(changes(one(), one({ required: true }))).toEqual(['query limit: is required now']);
    expect(changes({}, one({ required: true }))).toEqual(['query limit: is required now']);
    expect(changes(one(), one({ schema: text }))).toEqual([
      'query limit: integer is not taken any more',
    ]);
    expect(changes({}, one())).toEqual([]);
    expect(changes(one({ required: true }), one())).toEqual([]);
  });

  test('not that more is taken', () => {
    const before = object({ a: whole, b: { enum: ['x'] } }, ['a']);
    const after = object(
      { a: nullable({ type: 'number' }), b: { enum: ['x', 'y'] }, c: text },
      [],
      true,
    );
    expect(changes({ body: before }, { body: after })).toEqual([]);
  });
});

function one(more: Partial<ApiParameter> = {}): Parts {
  return { parameters: [{ name: 'limit', in: 'query', schema: whole, ...more }] };
}
