// Bodies for POST /run that nobody means well with (IF-01 to IF-08, AA-09): a documented answer, never a 500, and the gateway goes on.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text as readText } from 'node:stream/consumers';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

let gateway: TestGateway;
let token: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.mint('app');
});
afterAll(() => gateway[Symbol.asyncDispose]());
/** Any bytes as the body, with any headers; undefined takes a header away. */
function post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) {
  return gateway.fetch('/run', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...headers,
    },
    body,
  });
}

function refusal(status: number, code: string): object {
  return {
    status,
    body: { ok: false, error: { code, retryable: false }, request_id: expect.any(String) },
  };
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const manyKeys = Object.fromEntries(Array.from({ length: 1e5 }, (_, index) => [`k${index}`, 'v']));

describe('JSON that is meant to hurt', () => {
  it.each<[name: string, body: string, status?: number, code?: string]>([
    ['a depth of a thousand', `{"prompt":"x","metadata":${nested(1e3)}}`],
    ['a depth of a million', `{"prompt":"x","metadata":${nested(1e6)}}`],
    ['a depth without an end', '['.repeat(1e6)],
    [
      'a metadata key of 65 characters',
      JSON.stringify({ prompt: 'x', metadata: { ['k'.repeat(65)]: 'v' } }),
    ],
    ['an empty metadata key', '{"prompt":"x","metadata":{"":"v"}}'],
    ['a metadata key with a line end', String.raw`{"prompt":"x","metadata":{"a\nb":"v"}}`],
    [
      'a metadata value behind a strange key',
      String.raw`{"prompt":"x","metadata":{"a\u2028b":{"x":[1]}}}`,
    ],
    ['a metadata value that is no string', '{"prompt":"x","metadata":{"a":5}}'],
    ['a hundred thousand metadata keys', JSON.stringify({ prompt: 'x', metadata: manyKeys })],
    ['a hundred thousand fields', JSON.stringify({ prompt: 'x', ...manyKeys })],
    [
      'a schema of a hundred thousand properties',
      JSON.stringify({ prompt: 'x', json_schema: { type: 'object', properties: manyKeys } }),
      413,
      'payload_too_large',
    ],
    ['__proto__', '{"prompt":"x","__proto__":{"isAdmin":true}}'],
    ['__proto__ further in', '{"prompt":"x","metadata":{"__proto__":"x"}}'],
    ['constructor.prototype', '{"prompt":"x","constructor":{"prototype":{"a":1}}}'],
    ['one key twice', '{"prompt":"x","prompt":"y"}'],
    ['one key twice, once escaped', String.raw`{"prompt":"x","pr\u006fmpt":"y"}`],
    ['a number beyond all numbers', '{"prompt":"x","timeout_secs":1e309}'],
    ['a budget beyond all numbers', '{"prompt":"x","max_budget_usd":1e309}'],
    ['minus zero', '{"prompt":"x","timeout_secs":-0}'],
    ['half a turn', '{"prompt":"x","max_turns":1.5}'],
    ['a number as text', '{"prompt":"x","max_turns":"1"}'],
    ['a prompt that is a list', '{"prompt":["x"]}'],
    ['nothing', ''],
    ['no object', '"prompt"'],
    ['a list', '[{"prompt":"x"}]'],
    ['half an object', '{"prompt":"x"'],
    ['two objects', '{"prompt":"x"}{"prompt":"y"}'],
    ['comments', '{"prompt":"x"} // y'],
  ])('%s', async (_name, body, status = 400, code = 'invalid_request') => {
    expect(await post(body)).toMatchObject(refusal(status, code));
    expect(Object.prototype).not.toHaveProperty('isAdmin');
  });
});

describe('text that is none', () => {
  it.each<[name: string, body: Buffer<ArrayBuffer> | string]>([
    ['invalid UTF-8', Buffer.from('7b2270726f6d7074223a22ff22 7d'.replaceAll(' ', ''), 'hex')],
    ['half a character', Buffer.from('7b2270726f6d7074223a22f09f227d', 'hex')],
    ['an overlong character', Buffer.from('7b2270726f6d7074223a22c080227d', 'hex')],
    ['a lone surrogate', String.raw`{"prompt":"\ud83d"}`],
    ['two surrogates the wrong way round', String.raw`{"prompt":"\ude00\ud83d"}`],
    ['NUL', String.raw`{"prompt":"a\u0000b"}`],
    ['NUL in the system prompt', String.raw`{"prompt":"a","system":"\u0000"}`],
    ['a lone surrogate in a key', String.raw`{"prompt":"a","metadata":{"\udc00":"x"}}`],
  ])('%s is refused', async (_name, body) => {
    expect(await post(body)).toMatchObject(refusal(400, 'invalid_request'));
  });

  it('a character split over two packets arrives whole', async () => {
    const prompt = 'שלום 😀 \u202e';
    const body = Buffer.from(JSON.stringify({ prompt }));
    const middle = body.indexOf(Buffer.from('😀')) + 2;
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    const head = [
      ...['POST /run HTTP/1.1', 'Host: localhost', 'Connection: close'],
      ...['Content-Type: application/json', `Content-Length: ${body.length}`],
      ...[`Authorization: Bearer ${token}`, '', ''],
    ].join('\r\n');
    await new Promise((resolve) => socket.write(head, resolve));
    await new Promise((resolve) => socket.write(body.subarray(0, middle), resolve));
    socket.write(body.subarray(middle));
    const answer = await readText(socket);
    expect(answer).toContain('HTTP/1.1 200');
    expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ result: prompt });
  });
});

describe('the size of a prompt', () => {
  // The fake CLI answers with this instead of the whole prompt.
  const short = '@@schema-ok {"got":"it"}\n';
  const promptOf = (bytes: number): string => short + 'x'.repeat(bytes - short.length);

  it.each([127 * 2 ** 10, 128 * 2 ** 10, 10 * 2 ** 20])('%d bytes are taken', async (bytes) => {
    const { status, body } = await gateway.run(token, { prompt: promptOf(bytes) });
    expect({ status, result: body.result }).toEqual({ status: 200, result: { got: 'it' } });
    expect((await gateway.audit('?limit=1'))[0]).toMatchObject({
      details: { prompt_bytes: bytes },
    });
  });

  it.each<[name: string, request: Record<string, unknown>, status: number, code: string]>([
    ['nothing', { prompt: '' }, 400, 'invalid_request'],
    ['white space only', { prompt: ' \t\r\n\u00a0\u2003\ufeff' }, 400, 'invalid_request'],
    ['a byte too much', { prompt: promptOf(10 * 2 ** 20 + 1) }, 413, 'payload_too_large'],
    ['too much in characters of two bytes', { prompt: 'ä'.repeat(6e6) }, 413, 'payload_too_large'],
    ['40 MB', { prompt: 'x'.repeat(40 * 2 ** 20) }, 413, 'payload_too_large'],
    [
      'a system prompt of 1 MB and a byte',
      { prompt: 'x', system: 'x'.repeat(2 ** 20 + 1) },
      413,
      'payload_too_large',
    ],
  ])('%s is not', async (_name, request, status, code) => {
    expect(await gateway.run(token, request)).toMatchObject(refusal(status, code));
  });
});

describe('what the body says it is', () => {
  it.each<[name: string, headers: Record<string, string>]>([
    ['gzip', { 'content-encoding': 'gzip' }],
    ['br', { 'content-encoding': 'br' }],
    ['two encodings', { 'content-encoding': 'identity, gzip' }],
    ['plain text', { 'content-type': 'text/plain' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a multipart form', { 'content-type': 'multipart/form-data; boundary=x' }],
    ['UTF-16', { 'content-type': 'application/json; charset=utf-16' }],
    ['garbage', { 'content-type': 'json' }],
  ])('%s is refused', async (_name, headers) => {
    const answer = await post('{"prompt":"x"}', headers);
    expect(answer).toMatchObject(refusal(415, 'unsupported_media_type'));
  });
});

describe('names that are not names', () => {
  it.each([
    ...['--dangerously-skip-permissions', 'x y', 'sonnet\n--help', `claude-${'x'.repeat(300)}`],
    ...['s\u043ennet', '', ' sonnet', 'sonnet;id', '../sonnet', 'claude-*', '*'],
  ])('the model %j', async (model) => {
    const answer = await gateway.run(token, { prompt: 'x', model });
    expect(answer).toMatchObject(refusal(400, 'invalid_request'));
  });

  it.each(['../../etc/passwd', 'FILE_01', 'file_\u00e9', 'x'.repeat(200)])(
    'the file %j does not exist',
    async (file) => {
      const answer = await gateway.run(token, { prompt: 'x', files: [file] });
      expect(answer).toMatchObject(refusal(404, 'not_found'));
    },
  );

  it.each<[path: string, status: number, code: string]>([
    ['/admin/tokens/..%2f..%2fx', 404, 'not_found'],
    ['/admin/tokens/%00', 400, 'invalid_request'],
    ['/admin/tokens/%ff', 400, 'invalid_request'],
    ['/admin/tokens/NOBODY', 404, 'not_found'],
    ['/admin/tokens/nobody', 404, 'not_found'],
  ])('DELETE %s', async (path, status, code) => {
    const answer = await gateway.admin(path, undefined, 'DELETE');
    expect(answer).toMatchObject(refusal(status, code));
  });

  it('a path of a megabyte', async () => {
    const answer = await gateway.admin(`/admin/tokens/${'x'.repeat(2 ** 20)}`, undefined, 'DELETE');
    expect(answer).toMatchObject(refusal(431, 'headers_too_large'));
  });
});

it('after all of this the gateway runs what it is asked', async () => {
  const { status, body } = await gateway.run(token, { prompt: 'still there' });
  expect({ status, result: body.result }).toEqual({ status: 200, result: 'still there' });
  expect((await gateway.audit('?outcome=completed&limit=200')).length).toBe(5);
  expect(await gateway.runDirectories()).toEqual([]);
  expect(gateway.logged().filter(({ level }) => level === 'error' || level === 'fatal')).toEqual(
    [],
  );
});
