import { expect, test } from 'vitest';

import { findJsonFault } from '#shared/json-guard.ts';

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

test.each([
  ['a flat object', '{"a":1,"b":"x","c":[1,2,{"a":1}]}'],
  ['the same key in different objects', '{"a":{"a":{"a":1}},"b":{"a":1}}'],
  ['the same key in objects of a list', '[{"a":1},{"a":1}]'],
  ['a string equal to a key', '{"a":"a","b":["a","a"]}'],
  ['brackets and quotes inside strings', String.raw`{"a":"[[[{\"a\":1,\"a\":2}\\","b":"\\\""}`],
  ['64 levels', deep(64)],
  ['many lists side by side', `[${'[],'.repeat(200)}[]]`],
  ['constructor alone', '{"constructor":{"type":"string"},"prototype":1}'],
  ['an empty text', ''],
  ['a string that never ends', '{"a":"b'],
  ['closing brackets without opening ones', ']]}}"a":1'],
])('%s passes', (_name, text) => {
  expect(findJsonFault(text)).toBeNull();
});

test.each([
  ['a key twice', '{"a":1,"a":2}', 'the key "a" occurs twice'],
  ['a key twice, deep inside', '[[{"x":{"b":1,"a":[],"b":2}}]]', 'the key "b" occurs twice'],
  ['a key twice, once with an escape', String.raw`{"a":1,"\u0061":2}`, 'the key "a" occurs twice'],
  ['a key twice around another object', '{"a":{"a":1},"a":2}', 'the key "a" occurs twice'],
  ['__proto__', '{"x":[{"__proto__":{}}]}', 'the key "__proto__" is not allowed'],
  ['__proto__ escaped', String.raw`{"\u005f_proto__":1}`, 'the key "__proto__" is not allowed'],
  [
    'constructor.prototype',
    '{"constructor":{"prototype":1}}',
    'the key "prototype" is not allowed',
  ],
  ['65 levels', deep(65), 'it is nested deeper than 64 levels'],
  ['a million levels', deep(1_000_000), 'it is nested deeper than 64 levels'],
  ['a thousand unclosed objects', '{"a":'.repeat(1000), 'it is nested deeper than 64 levels'],
])('%s is refused', (_name, text, fault) => {
  expect(findJsonFault(text)).toBe(fault);
});

test('every one of 100 000 keys is compared', () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `"k${i}":0`);
  expect(findJsonFault(`{${keys.join(',')}}`)).toBeNull();
  expect(findJsonFault(`{${[...keys, '"k0":1'].join(',')}}`)).toBe('the key "k0" occurs twice');
});
