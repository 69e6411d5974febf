import { expect, test } from 'vitest';

import { contentDisposition } from '../../vault/attachments/content-disposition.ts';

test.each([
  ['image/png', 'a.png', `inline; filename="a.png"; filename*=UTF-8''a.png`],
  ['image/svg+xml', 'a.svg', `attachment; filename="a.svg"; filename*=UTF-8''a.svg`],
  ['text/plain', '../x', `attachment; filename=".._x"; filename*=UTF-8''.._x`],
  ['text/plain', String.raw`C:\x`, `attachment; filename="C:_x"; filename*=UTF-8''C%3A_x`],
  ['text/plain', 'a"b', `attachment; filename="a_b"; filename*=UTF-8''a%22b`],
  ['text/plain', 'a\r\nX: y', `attachment; filename="a__X: y"; filename*=UTF-8''a%0D%0AX%3A%20y`],
  ['text/plain', '\ud800', `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
])('a file of %s called %j is told as %s', (mediaType, name, header) => {
  expect(contentDisposition(mediaType, name)).toBe(header);
});
