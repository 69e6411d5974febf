// Bodies that no route of ours takes, in any field.

/** Types and encodings that are not JSON in UTF-8, as it is. */
export const wrongTypes: readonly Record<string, string>[] = [
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-type': 'multipart/form-data; boundary=x' },
  { 'content-type': 'application/vnd.api+json' },
  { 'content-type': 'application/jsonp' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': 'application/json; charset=latin1' },
  { 'content-type': 'application/json, text/plain' },
  { 'content-type': 'garbage' },
  { 'content-type': '' },
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br' },
  { 'content-encoding': 'identity, gzip' },
];

/** Bytes in a text that are no UTF-8. */
export const invalidUtf8 = [
  ['a stray continuation byte', [0x80]],
  ['an overlong NUL', [0xc0, 0x80]],
  ['a surrogate in UTF-8', [0xed, 0xa0, 0x80]],
  ['a cut off character', [0xf0, 0x9f, 0x98]],
  ['beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
] as const;

/** Texts that come through as they are. */
export const oddTexts = [
  ['any Unicode', 'a\u202E\r\n\u001b[0m\u2028 👩‍👩‍👧 \u{10FFFF} NFC é NFD e\u0301'],
  ['the edges of surrogates', '\uD7FF\uE000\uFFFF'],
  ['quotes, braces and dollars', '"}{ $(id) `id` \\ \\u0000'],
] as const;

export function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

export function manyKeys(count: number): string {
  return `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`;
}
