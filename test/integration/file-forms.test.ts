// What POST /files takes for a form, and what it does with everything else.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';
import { bytesOfForm, postForm } from '../support/upload-form.ts';
import type { Part } from '../support/upload-form.ts';

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.mint('app');
});
afterAll(() => gateway[Symbol.asyncDispose]());

function stored(): string[] {
  return readdirSync(join(gateway.dataDir, 'files'), { recursive: true }).map(String).toSorted();
}

const file: Part = { name: 'file', fileName: 'a.txt', body: 'hello' };
const ttl: Part = { name: 'ttl_secs', body: '60' };
const many = (name: string): Part[] => Array.from({ length: 1000 }, () => ({ name, body: '60' }));

describe('a form', () => {
  it.each<[name: string, parts: Part[], status: number, code: string]>([
    ['without a file', [ttl], 400, 'invalid_request'],
    ['without anything', [], 400, 'invalid_request'],
    ['with an unknown field', [{ name: 'purpose', body: 'x' }, file], 400, 'invalid_request'],
    ['with an unknown field at its end', [file, { name: 'x', body: 'x' }], 400, 'invalid_request'],
    [
      'with a field of a name of objects',
      [{ name: '__proto__', body: 'x' }, file],
      400,
      'invalid_request',
    ],
    ['with a part without a name', [{ body: 'x' }, file], 400, 'invalid_request'],
    ['with a file in another field', [{ ...file, name: 'files' }], 400, 'invalid_request'],
    ['with a time that is a file', [{ ...ttl, fileName: 'a' }, file], 400, 'invalid_request'],
    ['with two times', [ttl, file, ttl], 400, 'invalid_request'],
    [
      'with an encoded file',
      [{ ...file, headers: ['Content-Transfer-Encoding: base64'] }],
      400,
      'invalid_request',
    ],
    ['with two files', [file, file], 413, 'payload_too_large'],
    ['with very many files', Array.from({ length: 500 }, () => file), 413, 'payload_too_large'],
    ['with very many fields', [file, ...many('x')], 413, 'payload_too_large'],
    ['with very many times', [...many('ttl_secs'), file], 413, 'payload_too_large'],
    [
      'with a very long time',
      [{ name: 'ttl_secs', body: '6'.repeat(1e6) }, file],
      400,
      'invalid_request',
    ],
  ])('%s is refused and leaves nothing', async (_name, parts, status, code) => {
    const before = stored();
    const answer = await postForm(gateway, token, bytesOfForm(parts));
    expect(answer).toMatchObject({
      status,
      body: { ok: false, error: { code, retryable: false } },
    });
    expect(stored()).toEqual(before);
  });

  it('whose file has no file name is taken', async () => {
    const answer = await postForm(gateway, token, bytesOfForm([{ name: 'file', body: 'hello' }]));
    expect(answer).toMatchObject({ status: 201, body: { name: 'file', size: 5 } });
  });

  it('is answered wherever it is cut short', async () => {
    const whole = bytesOfForm([ttl, { ...file, body: 'hello\r\n--bound' }]);
    const cuts = Array.from({ length: whole.length - 4 }, (_, length) => whole.subarray(0, length));
    const before = stored();
    for (const cut of cuts) {
      const answer = await postForm(gateway, token, cut);
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
    }
    expect(stored()).toEqual(before);
  });

  it.each<[name: string, headers: Record<string, string>, status: number]>([
    ['is JSON', { 'content-type': 'application/json' }, 415],
    ['is text', { 'content-type': 'text/plain' }, 415],
    ['is of no type', { 'content-type': '' }, 415],
    ['is encoded as a URL', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['is another multipart', { 'content-type': 'multipart/mixed; boundary=x' }, 415],
    ['is compressed', { 'content-encoding': 'gzip' }, 415],
    ['has no boundary', { 'content-type': 'multipart/form-data' }, 400],
    ['has another boundary', { 'content-type': 'multipart/form-data; boundary=x' }, 400],
    ['has a key that is none', { 'idempotency-key': 'x'.repeat(256) }, 400],
  ])('that %s is refused', async (_name, headers, status) => {
    const answer = await postForm(gateway, token, bytesOfForm([file]), headers);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ ok: false, error: { retryable: false } });
  });

  it('is taken nowhere else', async () => {
    const answer = await gateway.fetch('/run', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: new FormData(),
    });
    expect(answer.status).toBe(415);
  });
});

test('nothing of this was an error of the gateway', () => {
  const levels = gateway.logged().map(({ level }) => level);
  expect(levels.filter((level) => level === 'error' || level === 'fatal')).toEqual([]);
});
