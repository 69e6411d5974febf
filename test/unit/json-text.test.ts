import { expect, test } from 'vitest';

import { findUnsafeValue } from '#shared/json-text.ts';

test.each([
  'plain',
  'مرحبا, \u202Eright to left, 👩‍👩‍👧 and \u{1F600}',
  '\r\n\t\u001b[31m\u2028',
  -0,
  1.7e308,
  null,
  true,
  { a: [{ b: 'c' }] },
])('%j is safe', (value) => {
  expect(findUnsafeValue(value)).toBeNull();
});

test.each([
  ['a\0b', 'body', 'contains a NUL character'],
  [{ prompt: '\0' }, 'prompt', 'contains a NUL character'],
  [{ prompt: 'x\uD800y' }, 'prompt', 'contains half of a surrogate pair'],
  [{ prompt: '\uDC00\uD800' }, 'prompt', 'contains half of a surrogate pair'],
  [{ files: ['ok', { name: '\0' }] }, 'files.1.name', 'contains a NUL character'],
  [{ metadata: { 'a\0': 1 } }, 'metadata', 'has a key that contains a NUL character'],
  [{ '\uDFFF': 1 }, 'body', 'has a key that contains half of a surrogate pair'],
  [{ n: [Number.POSITIVE_INFINITY] }, 'n.0', 'is a number out of range'],
])('%j is refused', (value, field, reason) => {
  expect(findUnsafeValue(value)).toEqual({ field, reason });
});
