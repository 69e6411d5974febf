// POST, GET and DELETE /files as apps use them, and as they should not.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';

import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';
import { bytesOfForm, postForm, upload } from '../support/upload-form.ts';

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway({ env: { UPLOAD_LIMIT_MB: '1', FILES_QUOTA_MB: '64' } });
  token = await gateway.mint('app');
});
afterAll(() => gateway[Symbol.asyncDispose]());

const png = Buffer.from('89504e470d0a1a0a0000000d49484452ff', 'hex');

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function incoming(of = gateway): string[] {
  return readdirSync(join(of.dataDir, 'files/incoming'));
}

function refusal(status: number, code: string, field?: string): object {
  const details = field === undefined ? {} : { details: { field } };
  return { status, body: { ok: false, error: { code, retryable: false, ...details } } };
}

function list(app: string, query = '', of = gateway) {
  return of.fetch(`/files${query}`, { headers: { authorization: `Bearer ${app}` } });
}

function remove(app: string, fileToken: string) {
  const headers = { authorization: `Bearer ${app}` };
  return gateway.fetch(`/files/${fileToken}`, { method: 'DELETE', headers });
}

describe('an upload', () => {
  it('is described by what arrived and kept under a name of ours', async () => {
    const { status, body } = await upload(gateway, token, png, { name: 'photo.exe' });
    expect({ status, body }).toEqual({
      status: 201,
      body: {
        file_token: expect.stringMatching(/^ff_[A-Za-z0-9_-]{32}$/),
        ...{ name: 'photo.exe', media_type: 'image/png', size: png.length, ttl_secs: 3600 },
        sha256: sha256(png),
      },
    });
    const path = join(gateway.dataDir, 'files', body.file_token);
    expect(readFileSync(path)).toEqual(png);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(gateway.dataDir, 'files')).mode & 0o777).toBe(0o700);
    expect(incoming()).toEqual([]);
  });

  it.each([false, true])(
    'takes ttl_secs before and after the file (before: %s)',
    async (ttlFirst) => {
      const answer = await upload(gateway, token, 'hello', { ttlSecs: 60, ttlFirst });
      expect(answer).toMatchObject({
        status: 201,
        body: { ttl_secs: 60, media_type: 'text/plain' },
      });
    },
  );

  it.each(['59', '86401', '-60', '60.5', '6e1', '', ' 60', '0x3c', '99999999999'])(
    'refuses ttl_secs=%j, before and after the file',
    async (ttlSecs) => {
      for (const ttlFirst of [true, false]) {
        const answer = await upload(gateway, token, 'hello', { ttlSecs, ttlFirst });
        expect(answer).toMatchObject(refusal(400, 'invalid_request', 'ttl_secs'));
      }
      expect(incoming()).toEqual([]);
    },
  );

  it('of the longest and the shortest time, and of exactly the size limit, is taken', async () => {
    expect((await upload(gateway, token, 'x', { ttlSecs: 86_400 })).status).toBe(201);
    const answer = await upload(gateway, token, 'x'.repeat(2 ** 20), { ttlSecs: 60 });
    expect(answer).toMatchObject({ status: 201, body: { size: 2 ** 20 } });
  });

  it.each<[name: string, bytes: Buffer | string, status: number, code: string]>([
    ['nothing', '', 400, 'invalid_request'],
    ['one byte too many', 'x'.repeat(2 ** 20 + 1), 413, 'payload_too_large'],
    ['a megabyte too many', 'x'.repeat(2 ** 21), 413, 'payload_too_large'],
    ['ten megabytes too many', Buffer.alloc(11 * 2 ** 20, 'x'), 413, 'payload_too_large'],
    ['an archive', Buffer.from('504b030414000000080000ffff', 'hex'), 415, 'unsupported_media_type'],
    ['text with NUL at its end', `${'x'.repeat(9e5)}\0`, 415, 'unsupported_media_type'],
    ['half a character', Buffer.from('68656c6c6ff09f', 'hex'), 415, 'unsupported_media_type'],
  ])('refuses %s and keeps nothing of it', async (_name, bytes, status, code) => {
    const before = readdirSync(join(gateway.dataDir, 'files'));
    const answer = await upload(gateway, token, bytes);
    expect(answer).toMatchObject(refusal(status, code, 'file'));
    expect(readdirSync(join(gateway.dataDir, 'files'))).toEqual(before);
    expect(incoming()).toEqual([]);
  });

  it('of another type is told which ones are accepted', async () => {
    const { body } = await upload(gateway, token, Buffer.alloc(20));
    for (const type of ['UTF-8 text', 'PNG', 'JPEG', 'GIF', 'WebP', 'PDF']) {
      expect(body.error.message).toContain(type);
    }
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['..', 'file'],
    ['.', 'file'],
    ['', 'file'],
    ['-rf', '-rf'],
    ['CON', 'CON'],
    ['C:\\Users\\me\\a.txt', 'a.txt'],
    ['a\0b\u001b[31m.txt', 'ab[31m.txt'],
    ['photo\u202egnp.txt', 'photognp.txt'],
    ['x'.repeat(400), 'x'.repeat(255)],
    ['caf\u00e9.txt', 'caf\u00e9.txt'],
    ['cafe\u0301.txt', 'cafe\u0301.txt'],
  ])('is never stored under its name %j', async (fileName, name) => {
    const form = bytesOfForm([{ name: 'file', fileName, body: 'hello' }]);
    const answer = await postForm(gateway, token, form);
    expect(answer).toMatchObject({ status: 201, body: { name } });
    const names = readdirSync(join(gateway.dataDir, 'files'));
    expect(names.filter((each) => !/^(incoming|ff_[\w-]{32})$/.test(each))).toEqual([]);
  });

  it('is two files when it comes twice', async () => {
    const [one, other] = await Promise.all([
      upload(gateway, token, 'the same'),
      upload(gateway, token, 'the same'),
    ]);
    expect(one.body.sha256).toBe(other.body.sha256);
    expect(one.body.file_token).not.toBe(other.body.file_token);
  });
});

test.each(['PUT', 'PATCH'])('%s of files is no method', async (method) => {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await gateway.fetch('/files', { method, headers });
  expect(answer.status).toBe(405);
  expect(answer.headers.get('allow')).toBe('GET, HEAD, POST');
});

describe('an app', () => {
  it('sees its own files, newest first, page by page', async () => {
    const own = await gateway.mint('lister');
    const tokens: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const { body } = await upload(gateway, own, `${index}`, { name: `${index}.txt` });
      tokens.unshift(body.file_token);
    }
    const pages: string[][] = [];
    for (let after: string | null = ''; after !== null;) {
      const { body } = await list(own, `?limit=2${after === '' ? '' : `&after=${after}`}`);
      pages.push(body.items.map((item: { file_token: string }) => item.file_token));
      after = body.next;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat().toSorted()).toEqual(tokens.toSorted());
    const { body } = await list(own);
    expect(body.items).toHaveLength(5);
    expect(body.items[0]).toEqual({
      file_token: expect.any(String),
      ...{ name: expect.any(String), media_type: 'text/plain', size: 1 },
      sha256: expect.any(String),
      created_at: expect.stringMatching(/Z$/),
      expires_at: expect.stringMatching(/Z$/),
    });
    expect((await list(own, '?after=nonsense')).status).toBe(400);
    expect((await list(own, '?limit=0')).status).toBe(400);
  });

  it('deletes its own files, once', async () => {
    const { body } = await upload(gateway, token, 'to be deleted');
    expect((await remove(token, body.file_token)).status).toBe(204);
    expect(readdirSync(join(gateway.dataDir, 'files'))).not.toContain(body.file_token);
    expect(await remove(token, body.file_token)).toMatchObject(refusal(404, 'not_found'));
  });

  it("cannot tell another app's file from one that never was", async () => {
    const other = await gateway.mint('another');
    const { body } = await upload(gateway, other, 'private');
    const random = `ff_${'A'.repeat(32)}`;
    for (const attempt of [
      (each: string) => remove(token, each),
      (each: string) => gateway.run(token, { prompt: 'hi', files: [each] }),
    ]) {
      const [foreign, unknown] = [await attempt(body.file_token), await attempt(random)];
      expect(foreign).toMatchObject(refusal(404, 'not_found'));
      expect(foreign.body.error).toEqual(unknown.body.error);
    }
    const names = (await list(token, '?limit=200')).body.items.map(
      (item: { file_token: string }) => item.file_token,
    );
    expect(names).not.toContain(body.file_token);
    expect((await remove(other, body.file_token)).status).toBe(204);
  });

  it.each(['..%2f..%2fgateway.db', 'incoming', 'FF_x', 'ff_%00', '%ff', 'x'.repeat(500)])(
    'deletes nothing with the token %s',
    async (fileToken) => {
      expect([400, 404]).toContain((await remove(token, fileToken)).status);
      expect(readdirSync(gateway.dataDir)).toContain('gateway.db');
      expect(incoming()).toEqual([]);
    },
  );

  it('needs its token, and an admin has no files', async () => {
    const path = '/files';
    expect((await gateway.fetch(path)).status).toBe(401);
    expect((await gateway.fetch(path, { method: 'POST', body: new FormData() })).status).toBe(401);
    expect((await gateway.admin(path)).status).toBe(403);
  });
});

test('nothing of this was an error of the gateway', () => {
  const levels = gateway.logged().map(({ level }) => level);
  expect(levels.filter((level) => level === 'error' || level === 'fatal')).toEqual([]);
});
