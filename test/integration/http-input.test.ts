import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createEchoServer } from '../support/echo-server.ts';
import type { EchoServer } from '../support/echo-server.ts';
import { invalidUtf8, manyKeys, nested, oddTexts, wrongTypes } from '../support/hostile-bodies.ts';

let server: EchoServer;

beforeEach(async () => {
  server = await createEchoServer();
});

afterEach(async () => {
  await server.app.close();
});

async function post(payload: string | Buffer, headers: Record<string, string> = {}) {
  return await server.app.inject({
    method: 'POST',
    url: '/echo',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  });
}

const code = (answer: { json: () => { error: { code: string } } }): string =>
  answer.json().error.code;

describe('JSON bodies', () => {
  test.each([
    ['{"text":"a","count":"1"}', 'count'],
    ['{"text":5}', 'text'],
    ['{"count":1}', 'text'],
    ['{"text":"a","extra":1}', 'extra'],
    ['{"text":"a","count":0}', 'count'],
    ['{"text":"a","count":1.5}', 'count'],
    ['{"text":"a","list":[{"kind":"a"},{"kind":"c"}]}', 'list.1.kind'],
    ['{"text":"a","any":1e309}', 'any'],
    ['{"text":"a","any":{"x":["\\u0000"]}}', 'any.x.0'],
    ['{"text":"\\ud800"}', 'text'],
    ['{"text":"a","text":"b"}', 'body'],
    ['{"text":"a","__proto__":{"x":1}}', 'body'],
    ['[]', 'body'],
    ['null', 'body'],
    ['"x"', 'body'],
    ['', 'body'],
    ['{', 'body'],
    ['{"text":"a"} x', 'body'],
    ['\uFEFF{"text":"a"}', 'body'],
    ["{'text':'a'}", 'body'],
  ])('%s is 400 and names %s', async (payload, field) => {
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      ok: false,
      error: { code: 'invalid_request', retryable: false, details: { field } },
    });
    expect(server.handled).toEqual([]);
  });

  test('no body at all is 400', async () => {
    const answer = await server.app.inject({ method: 'POST', url: '/echo' });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { details: { field: 'body' } } });
  });

  test.each(oddTexts)('%s comes through byte for byte', async (_name, text) => {
    const answer = await post(JSON.stringify({ text, any: -0 }));
    expect(answer.statusCode).toBe(200);
    expect(server.handled).toEqual([{ text, any: 0 }]);
  });

  test.each(invalidUtf8)('%s is 400', async (_name, bytes) => {
    const payload = Buffer.concat([
      Buffer.from('{"text":"'),
      Buffer.from(bytes),
      Buffer.from('"}'),
    ]);
    const answer = await post(payload);
    expect(answer.statusCode).toBe(400);
    expect(server.handled).toEqual([]);
  });

  test.each([1e3, 1e4, 5e5])('depth %d is 400', async (depth) => {
    const answer = await post(`{"text":"a","any":${nested(depth)}}`);
    expect(answer.statusCode).toBe(400);
  });

  test('100 000 keys are no trouble', async () => {
    const keys = manyKeys(1e5);
    expect((await post(`{"text":"a","any":${keys}}`)).statusCode).toBe(200);
    expect((await post(keys)).statusCode).toBe(400);
  });

  test('one byte above the limit is 413', async () => {
    const limit = 2 ** 20;
    const text = 'x'.repeat(limit - '{"text":""}'.length);
    expect((await post(`{"text":"${text}"}`)).statusCode).toBe(200);
    const answer = await post(`{"text":"${text}x"}`);
    expect(answer.statusCode).toBe(413);
    expect(code(answer)).toBe('payload_too_large');
  });

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json ; charset=UTF-8',
  ])('the content type %s is taken', async (type) => {
    expect((await post('{"text":"a"}', { 'content-type': type })).statusCode).toBe(200);
  });

  test.each(wrongTypes)('%j is 415', async (headers) => {
    const answer = await post('{"text":"a"}', headers);
    expect(answer.statusCode).toBe(415);
    expect(code(answer)).toBe('unsupported_media_type');
    expect(server.handled).toEqual([]);
  });

  test('DELETE and GET need no body, whatever type they claim', async () => {
    const headers = { 'content-type': 'application/json' };
    const options = { method: 'DELETE', url: '/items/x', headers } as const;
    expect((await server.app.inject(options)).statusCode).toBe(204);
    expect((await server.app.inject({ url: '/items', headers })).statusCode).toBe(200);
  });
});

describe('query strings', () => {
  test('text becomes a number, and a default is filled in', async () => {
    expect((await server.app.inject('/items?limit=5')).json()).toEqual({ limit: 5 });
    expect((await server.app.inject('/items')).json()).toEqual({ limit: 10 });
  });

  test.each([
    ['limit=x', 'limit'],
    ['limit=51', 'limit'],
    ['limit=1e309', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['other=1', 'other'],
    ['__proto__=1', '__proto__'],
  ])('%s is 400 and names %s', async (query, field) => {
    const answer = await server.app.inject(`/items?${query}`);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error: { details: { field } } });
  });
});
