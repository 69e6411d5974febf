import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createEchoServer } from '../support/echo-server.ts';
import type { EchoServer } from '../support/echo-server.ts';

let server: EchoServer;

beforeEach(async () => {
  server = await createEchoServer();
});

afterEach(async () => {
  await server.app.close();
});

const code = (answer: { json: () => { error: { code: string } } }): string =>
  answer.json().error.code;

describe('the one error object', () => {
  test('an unknown path is 404 with the whole object', async () => {
    const answer = await server.app.inject('/nope');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toEqual({
      ok: false,
      error: { code: 'not_found', message: expect.any(String), retryable: false },
      request_id: 'req-1',
    });
    expect(answer.headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-request-id': 'req-1',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
  });

  test.each([
    ['POST', '/items', 'GET, HEAD'],
    ['GET', '/items/x', 'DELETE'],
    ['OPTIONS', '/echo', 'POST'],
    ['PUT', '/echo?x=1', 'POST'],
  ] as const)('%s %s is 405 and says what is allowed', async (method, url, allow) => {
    const answer = await server.app.inject({ method, url });
    expect(answer.statusCode).toBe(405);
    expect(answer.headers['allow']).toBe(allow);
    expect(code(answer)).toBe('method_not_allowed');
  });

  test('a body nobody reads does not hide a 404', async () => {
    for (const type of ['application/json', 'text/plain', 'garbage']) {
      const answer = await server.app.inject({
        method: 'POST',
        url: '/nope',
        payload: '{',
        headers: { 'content-type': type },
      });
      expect(answer.statusCode).toBe(type === 'garbage' ? 415 : 404);
    }
  });

  test.each([
    ['/items/%zz', 'DELETE', 400],
    ['/items/..%2f..%2fetc%2fpasswd', 'DELETE', 204],
    ['/items/x%00', 'DELETE', 400],
    [`/items/${'x'.repeat(101)}`, 'DELETE', 404],
    ['/items/../../x', 'GET', 404],
    ['/items/', 'GET', 404],
  ] as const)('the path %s never is an error of ours', async (url, method, status) => {
    const answer = await server.app.inject({ method, url });
    expect(answer.statusCode).toBe(status);
  });

  test('an unexpected error is a bare 500, logged with its cause', async () => {
    const answer = await server.app.inject({ url: '/boom', headers: { 'x-request-id': 'abc' } });
    expect(answer.statusCode).toBe(500);
    expect(code(answer)).toBe('internal');
    expect(answer.body).not.toContain('secret');
    expect(server.log.lines()).toEqual([
      expect.objectContaining({
        level: 'error',
        request_id: 'abc',
        route: '/boom',
        err: expect.objectContaining({
          message: 'a secret of the inside: the cause',
          stack: expect.stringContaining('the cause'),
        }),
      }),
    ]);
  });

  test("a library's own status is not taken over", async () => {
    const answer = await server.app.inject('/borrowed');
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('library');
  });

  test('Retry-After is whole seconds, in header and body', async () => {
    const answer = await server.app.inject('/busy');
    expect(answer.statusCode).toBe(429);
    expect(answer.headers['retry-after']).toBe('3');
    expect(answer.json()).toMatchObject({
      run_id: 'run_7',
      error: { code: 'queue_full', retryable: true, retry_after_secs: 3 },
    });
  });

  test('nothing but unexpected errors is logged', async () => {
    await server.app.inject('/nope');
    await server.app.inject('/busy');
    await server.app.inject({ method: 'POST', url: '/echo', payload: '{' });
    expect(server.log.written).toEqual([]);
  });
});

describe('request ids', () => {
  test.each(['a', 'A-b_c.9', 'x'.repeat(64)])('%s is taken', async (id) => {
    const answer = await server.app.inject({ url: '/items', headers: { 'x-request-id': id } });
    expect(answer.headers['x-request-id']).toBe(id);
  });

  test.each([`cf_${'a'.repeat(48)}`, '', 'x'.repeat(65), 'a b', 'é', 'a"b', '<x>'])(
    '"%s" is replaced',
    async (id) => {
      const answer = await server.app.inject({ url: '/items', headers: { 'x-request-id': id } });
      expect(answer.headers['x-request-id']).toBe('req-1');
    },
  );
});

test('while draining, new requests are told to come back and public routes answer', async () => {
  server.startDraining();
  const answer = await server.app.inject('/items');
  expect(answer.statusCode).toBe(503);
  expect(answer.headers['retry-after']).toBe('5');
  expect(answer.json()).toMatchObject({ error: { code: 'draining', retryable: true } });
  expect((await server.app.inject('/health')).statusCode).toBe(200);
});
