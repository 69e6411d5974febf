import { text } from 'node:stream/consumers';

import { expect, test } from 'vitest';

import { createUploadForm } from '#shared/gateway-upload-form.ts';

const bytes = Buffer.from('the text');

test('a form names the file and how long it is kept, and knows its own length', async () => {
  const form = createUploadForm(bytes, { name: 'näme.txt', ttlSecs: 60 });
  const body = await text(form.body());
  const boundary = form.headers['content-type']?.split('boundary=')[1];
  expect(body.replaceAll(boundary ?? '', 'B').split('\r\n')).toEqual([
    ...['--B', 'Content-Disposition: form-data; name="ttl_secs"', '', '60'],
    ...['--B', 'Content-Disposition: form-data; name="file"; filename="näme.txt"'],
    ...['Content-Type: application/octet-stream', '', 'the text', '--B--', ''],
  ]);
  expect(form.headers['content-length']).toBe(String(Buffer.byteLength(body)));
});

test('no name leaves its header', async () => {
  const form = createUploadForm(bytes, { name: 'a"; name="ttl_secs\r\nX: \\' });
  const body = await text(form.body());
  expect(body).toContain(String.raw`filename="a\"; name=\"ttl_secs  X: \\"`);
});

test('bytes and blobs can be sent again, to the byte; a stream cannot', async () => {
  for (const source of [bytes, new Blob([bytes])]) {
    const form = createUploadForm(source, { name: 'a' });
    expect(form.isRepeatable).toBe(true);
    expect(await text(form.body())).toBe(await text(form.body()));
  }
  const stream = createUploadForm(new Blob([bytes]).stream(), { name: 'a' });
  expect(stream.isRepeatable).toBe(false);
  expect(stream.headers).not.toHaveProperty('content-length');
  expect(await text(stream.body())).toContain('the text');
});
