import { expect, test } from 'vitest';

import { cleanFileName } from '#shared/uploads/file-name.ts';

test.each<[given: string | undefined, name: string]>([
  ['report.pdf', 'report.pdf'],
  [undefined, 'file'],
  ['', 'file'],
  ['  \t ', 'file'],
  ['\0\u0007', 'file'],
  ['../x', '../x'],
  ['..', '..'],
  ['-rf', '-rf'],
  ['CON', 'CON'],
  ['a\0b.txt', 'ab.txt'],
  ['a\r\nb\u001b[31m\u007f\u0085.txt', 'ab[31m.txt'],
  ['photo\u202egnp.exe', 'photognp.exe'],
  ['\u2066\u2067\u2068\u2069\u200e\u200f\u061ca', 'a'],
  ['a\u2028b\u2029c', 'abc'],
  ['caf\u00e9 \u5c71 \u{1f469}\u200d\u{1f4bb}.md', 'caf\u00e9 \u5c71 \u{1f469}\u200d\u{1f4bb}.md'],
  ['half \ud83d', 'half \ufffd'],
  ['x'.repeat(400), 'x'.repeat(255)],
  ['\u{1f600}'.repeat(400), '\u{1f600}'.repeat(255)],
  [`${'x'.repeat(254)} y`, 'x'.repeat(254)],
])('%j becomes %j', (given, name) => {
  expect(cleanFileName(given)).toBe(name);
});
