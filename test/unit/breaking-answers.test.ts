import { describe, expect, test } from 'vitest';

import type { ApiSchema } from '#shared/api-document/openapi.ts';

import { changes, nullable, object, text, whole } from '../support/changed-document.ts';
import type { Parts } from '../support/changed-document.ts';

describe('in an answer, it breaks apps', () => {
  test.each<[string, ApiSchema, ApiSchema, string[]]>([
    [
      'that a property is gone',
      object({ a: text, b: text }, ['a']),
      object({ b: text }),
      ['answer 200.a: is gone'],
    ],
    [
      'that a property may be missing',
      object({ a: text }, ['a']),
      object({ a: text }),
      ['answer 200.a: may be missing now'],
    ],
    [
      'that a type is another',
      object({ a: text }),
      object({ a: whole }),
      ['answer 200.a: integer may come now'],
    ],
    [
      'that a type is wider',
      object({ a: whole }),
      object({ a: { type: 'number' } }),
      ['answer 200.a: number may come now'],
    ],
    [
      'that null may come',
      object({ a: text }),
      object({ a: nullable(text) }),
      ['answer 200.a: null may come now'],
    ],
    [
      'that anything may come',
      object({ a: text }),
      object({ a: {} }),
      ['answer 200.a: any may come now'],
    ],
    [
      'that a value is there no more or new',
      { type: 'array', items: { enum: ['x', 'y'] } },
      { type: 'array', items: { enum: ['x', 'z'] } },
      ['answer 200[]: "y" does not come any more', 'answer 200[]: "z" may come now'],
    ],
    [
      'that there are other values than those of the list',
      { type: 'string', enum: ['x'] },
      text,
      ['answer 200: may be something else than ["x"] now'],
    ],
    [
      'that a limit is looser',
      { type: 'integer', minimum: 0 },
      whole,
      ['answer 200: minimum was 0 and is not there'],
    ],
    [
      'that a constant is another',
      object({ ok: { const: true } }),
      object({ ok: { type: 'boolean' } }),
      ['answer 200.ok: may be something else than [true] now'],
    ],
  ])('%s', (_name, before, after, expected) => {
    expect(changes({ answer: before }, { answer: after })).toEqual(expected);
  });

  test('that a status, a type of content or a header is gone', () => {
    const headers = { Location: { schema: text } };
    const content = { 'application/json': {}, 'text/event-stream': {} };
    const before = { 200: { description: '', headers, content }, 404: { description: '' } };
    const after = { 200: { description: '', content: { 'application/json': {} } } };
    expect(changes({ answers: before }, { answers: after })).toEqual([
      'answer 200: the header Location is gone',
      'answer 200: text/event-stream is gone',
      'answer 404: is gone',
    ]);
    expect(changes({ answers: after }, { answers: before })).toEqual([]);
  });

  test('not that there is more in it, or less that may come', () => {
    const before = object({ a: nullable({ type: 'number' }) });
    const after = object({ a: whole, b: text }, ['a', 'b']);
    expect(changes({ answer: before }, { answer: after })).toEqual([]);
  });
});

describe('of the events of a stream', () => {
  const [one, two] = [event('one', object({ a: text }, ['a'])), event('two', {})];

  test('it breaks apps that one does not come any more, not that there is another', () => {
    expect(changes(stream(one, two), stream(one))).toEqual([
      'answer 200[]: event "two" does not come any more',
    ]);
    expect(changes(stream(one), stream(one, two))).toEqual([]);
  });

  test('it breaks apps that the data of one has less', () => {
    expect(changes(stream(one, two), stream(event('one', object({})), two))).toEqual([
      'answer 200[].data.a: is gone',
    ]);
  });
});

function event(type: string, data: ApiSchema): ApiSchema {
  return object({ event: { const: type }, data }, ['event', 'data']);
}

function stream(...oneOf: ApiSchema[]): Parts {
  return { answer: { type: 'string', contentSchema: { type: 'array', items: { oneOf } } } };
}
