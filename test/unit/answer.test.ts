import { describe, expect, test } from 'vitest';

import { unwrapAnswer } from '../../gateway/runs/answer.ts';

describe('a value', () => {
  test.each<[name: string, text: string, value: unknown]>([
    ['an object', '{"a":1}', { a: 1 }],
    ['an array', '[1,[2]]', [1, [2]]],
    ['an empty object', '{}', {}],
    ['white space around it', '\n  {"a":1}\n', { a: 1 }],
    ['a fenced object', '```json\n{"a":1}\n```', { a: 1 }],
    ['a fenced array', '```\n[1]\n```', [1]],
    ['a fence with white space around it', '\n```json\n{"a":1}\n```\n\n', { a: 1 }],
    ['a fence in another language', '```ts\n{"a":1}\n```', { a: 1 }],
    [
      'backticks inside the value',
      '```json\n{"a":"```not a fence```"}\n```',
      { a: '```not a fence```' },
    ],
    ['a key that JSON keeps to itself', '{"__proto__":1}', JSON.parse('{"__proto__":1}')],
  ])('is made of %s', (_name, text, value) => {
    expect(unwrapAnswer(text)).toEqual(value);
  });
});

describe('a text', () => {
  test.each<[name: string, text: string]>([
    ['words', 'hello'],
    ['a number', '42'],
    ['null', 'null'],
    ['true', 'true'],
    ['a quoted string', '"hello"'],
    ['prose before a fence', 'Here it is:\n```json\n{"a":1}\n```'],
    ['prose after a fence', '```json\n{"a":1}\n```\nThat is it.'],
    ['two fences', '```json\n{"a":1}\n```\nand\n```json\n{"a":2}\n```'],
    ['half an object', '{"a":1'],
    ['an object and more', '{"a":1} {"b":2}'],
    ['a fence that never ends', '```json\n{"a":1}'],
    ['white space that belongs to it', '  two spaces\n'],
  ])('stays as it was written: %s', (_name, text) => {
    expect(unwrapAnswer(text)).toBe(text);
  });

  test.each<[name: string, text: string, inner: string]>([
    ['what does not parse', '```json\n{bad\n```', '{bad'],
    ['words', '```\nhello\n```', 'hello'],
    ['a number', '```json\n42\n```', '42'],
    ['nothing', '```\n```', ''],
    ['several lines', '```py\na = 1\n\nb = 2\n```', 'a = 1\n\nb = 2'],
  ])('loses the one fence around it: %s', (_name, text, inner) => {
    expect(unwrapAnswer(text)).toBe(inner);
  });

  test('keeps a fence that holds another one', () => {
    const nested = '```md\nSee:\n```json\n{"a":1}\n```\n```';
    expect(unwrapAnswer(nested)).toBe(nested);
  });
});

test('a long text without a fence is read in a moment', () => {
  const text = '`'.repeat(3) + '\n'.repeat(500_000);
  expect(unwrapAnswer(text)).toBe(text);
});

test.each(['{"id":12345678901234567890}', '[9007199254740993]', '[1e400]'])(
  'JSON with a number that JavaScript cannot hold stays the text it is: %s',
  (text) => {
    expect(unwrapAnswer(text)).toBe(text);
  },
);

test('numbers that it can hold are numbers', () => {
  expect(unwrapAnswer('[9007199254740992, 0.1, -3, 1e3]')).toEqual([2 ** 53, 0.1, -3, 1000]);
});
