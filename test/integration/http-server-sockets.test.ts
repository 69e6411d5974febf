// What only shows on real sockets: time limits, and requests Node's parser refuses.
import { once } from 'node:events';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

import { Type } from 'typebox';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { createHttpServer } from '#shared/http-server.ts';
import type { HttpServer } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';

import { createCapturedLog } from '../support/captured-log.ts';

const requestTimeoutMs = 300;
const bodyLimitBytes = 2 ** 20;

let server: HttpServer;
let port: number;
let entered: string[];
let release: PromiseWithResolvers<void>;

beforeEach(async () => {
  entered = [];
  release = Promise.withResolvers();
  server = createHttpServer({
    log: createCapturedLog().log,
    errorEnvelope: { ok: false },
    bodyLimitBytes,
    requestTimeoutMs,
    newId,
  });
  const body = Type.Object({ text: Type.String() });
  server.app.post('/echo', { schema: { body } }, (request, reply) => {
    entered.push(request.body.text);
    void reply.send(request.body);
  });
  server.app.get('/slow', async () => {
    entered.push('slow');
    await release.promise;
    return { slow: true };
  });
  await server.app.listen({ host: '127.0.0.1', port: 0 });
  port = (server.app.server.address() as AddressInfo).port;
});

afterEach(async () => {
  release.resolve();
  await server.app.close();
});

type Conversation = { socket: Socket; closed: Promise<string>; received: () => string };

function talk(...first: (string | Buffer)[]): Conversation {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    received += text;
  });
  // A write after the other side has closed is part of these tests.
  socket.on('error', () => undefined);
  const closed = once(socket, 'close').then(() => received);
  for (const part of first) {
    socket.write(part);
  }
  return { socket, closed, received: () => received };
}

function answerOf(received: string): { status: number; body: Record<string, unknown> } {
  const [head = '', body = ''] = received.split('\r\n\r\n', 2);
  return { status: Number(head.split(' ')[1]), body: JSON.parse(body) as Record<string, unknown> };
}

/** What there is to say about a refusal, in one line. */
function refusalOf(received: string): string {
  const { status, body } = answerOf(received);
  const { code, message, retryable } = body['error'] as Record<string, unknown>;
  const whole =
    body['ok'] === false &&
    typeof message === 'string' &&
    typeof retryable === 'boolean' &&
    String(body['request_id']).startsWith('req_') &&
    received.includes(`x-request-id: ${String(body['request_id'])}\r\n`) &&
    /\r\nconnection: close\r\n/i.test(received) &&
    received.match(/HTTP\/1\.1 \d/g)?.length === 1;
  return `${status} ${String(code)} ${whole ? 'whole' : received}, entered ${entered.length}`;
}

const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const post = (length: number | string, ...more: string[]): string =>
  head(
    'POST /echo HTTP/1.1',
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    ...more,
  );

describe('a request that does not arrive in time is 408 and the connection closes', () => {
  test.each([
    ['nothing at all', []],
    ['a partial header', ['POST /echo HTTP/1.1\r\nHost: loc']],
    ['a partial body', [post(100), '{"text":']],
  ])('%s', async (_name, parts) => {
    const { closed } = talk(...parts);
    expect(refusalOf(await closed)).toBe('408 request_timeout whole, entered 0');
  });

  test('a body that drips', async () => {
    const { socket, closed } = talk(post(1000), '{"text":"');
    const drip = setInterval(() => socket.write('x'), 40);
    const received = await closed;
    clearInterval(drip);
    expect(refusalOf(received)).toBe('408 request_timeout whole, entered 0');
  });

  test('a second request on a connection that was used', async () => {
    const { closed } = talk(head('GET /nope HTTP/1.1', 'Host: x'), 'GET /nope HTTP/1.1\r\nHo');
    const answers = (await closed).match(/HTTP\/1\.1 \d+/g);
    expect(answers).toEqual(['HTTP/1.1 404', 'HTTP/1.1 408']);
  });

  test('a slow answer is not a slow request', async () => {
    const slow = talk(head('GET /slow HTTP/1.1', 'Host: x', 'Connection: close'));
    // This one arrives later and is timed out, so the limit has passed for the first as well.
    const timedOut = talk('GET /slow HTTP/1.1\r\nHo');
    expect(answerOf(await timedOut.closed).status).toBe(408);
    release.resolve();
    expect(answerOf(await slow.closed)).toMatchObject({ status: 200, body: { slow: true } });
  });
});

describe('what is not well-formed HTTP is refused and the connection closes', () => {
  const host = 'Host: localhost';
  const json = 'Content-Type: application/json';
  const body = '{"text":"a"}';

  test.each([
    [
      'Content-Length with Transfer-Encoding',
      head('POST /echo HTTP/1.1', host, json, 'Content-Length: 12', 'Transfer-Encoding: chunked') +
        `c\r\n${body}\r\n0\r\n\r\n`,
    ],
    ['two lengths', post(12, 'Content-Length: 13') + body],
    ['a negative length', post(-1) + body],
    ['a length that is no number', post('0x0c') + body],
    ['no HTTP', 'hello\r\n\r\n'],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
    ['a header without a name', head('GET /slow HTTP/1.1', host, ': x')],
    ['a NUL in a header', head('GET /slow HTTP/1.1', host, 'X-A: a\0b')],
    [
      'a bad chunk size',
      head('POST /echo HTTP/1.1', host, json, 'Transfer-Encoding: chunked') + 'z\r\n',
    ],
    ['an unknown expectation', post(12, 'Expect: the-moon')],
  ])('%s is 400', async (_name, request) => {
    const { closed } = talk(request);
    expect(refusalOf(await closed)).toBe('400 invalid_request whole, entered 0');
  });

  test('20 KB of headers are 431', async () => {
    const { closed } = talk(head('GET /slow HTTP/1.1', host, `X-Big: ${'x'.repeat(20_480)}`));
    expect(refusalOf(await closed)).toBe('431 headers_too_large whole, entered 0');
  });

  test('a missing Host is 400', async () => {
    const { closed } = talk(head('GET /slow HTTP/1.1', 'Connection: close'));
    expect(refusalOf(await closed)).toBe('400 invalid_request whole, entered 0');
  });

  test('a length that is too small cuts the body: 400, and the rest is no request', async () => {
    const { closed } = talk(post(5), body);
    expect(await closed).toMatch(/^HTTP\/1\.1 400 /);
    expect(entered).toEqual([]);
  });
});

test('a character split between two packets comes through', async () => {
  const bytes = Buffer.from('{"text":"👩‍👩‍👧"}');
  const { socket, closed } = talk(post(bytes.length, 'Connection: close'), bytes.subarray(0, 11));
  socket.setNoDelay(true);
  await once(server.app.server, 'request');
  socket.write(bytes.subarray(11));
  expect(answerOf(await closed).body).toEqual({ text: '👩‍👩‍👧' });
});

test('a client that sends far too much still reads its 413', async () => {
  const chunk = Buffer.alloc(2 ** 20, 'x');
  const answer = await fetch(`http://127.0.0.1:${port}/echo`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.concat(Array.from({ length: 16 }, () => chunk)),
  });
  expect(answer.status).toBe(413);
  expect(await answer.json()).toMatchObject({ ok: false, error: { code: 'payload_too_large' } });

  const length = 16 * 2 ** 20;
  const { socket, closed, received } = talk(
    post(length),
    ...Array.from({ length: 16 }, () => chunk),
  );
  while (!received().includes('payload_too_large')) {
    await once(socket, 'data');
  }
  socket.end();
  expect(await closed).toMatch(/^HTTP\/1\.1 413 /);
});

test('closing tells new requests to come back and waits for the running one', async () => {
  const slow = talk(head('GET /slow HTTP/1.1', 'Host: x'));
  const other = talk(head('GET /nope HTTP/1.1', 'Host: x'));
  while (!other.received().includes('not_found') || entered.length === 0) {
    await once(other.socket, 'data');
  }
  server.startDraining();
  other.socket.write(head('GET /slow HTTP/1.1', 'Host: x'));
  const refused = await other.closed;
  expect(refused).toMatch(/HTTP\/1\.1 503 [^]*\r\nretry-after: 5\r\n[^]*"code":"draining"/i);
  expect(refused.toLowerCase().lastIndexOf('connection: close')).toBeGreaterThan(
    refused.indexOf('503'),
  );
  const closing = server.app.close();
  release.resolve();
  await closing;
  expect(answerOf(await slow.closed).status).toBe(200);
});

test.each([
  ['CONNECT', 'CONNECT /echo HTTP/1.1', '405 method_not_allowed'],
  ['a method Fastify does not know', 'QUERY /echo HTTP/1.1', '405 method_not_allowed'],
  ['that method where nothing is', 'QUERY /nothing HTTP/1.1', '404 not_found'],
])('%s is answered like any other method', async (_name, line, refusal) => {
  const { closed } = talk(head(line, 'Host: localhost', 'Connection: close'));
  expect(refusalOf(await closed)).toBe(`${refusal} whole, entered 0`);
});

test.each([
  ['garbage', 'garbage\r\n\r\n'],
  ['CONNECT', head('CONNECT /echo HTTP/1.1', 'Host: localhost')],
  ['headers that are too large', head('GET /slow HTTP/1.1', `X: ${'x'.repeat(20_000)}`)],
])('the answer to a request is its own, although %s follows', async (_name, following) => {
  const { closed } = talk(head('GET /slow HTTP/1.1', 'Host: localhost'), following);
  await expect.poll(() => entered).toEqual(['slow']);
  release.resolve();
  const received = await closed;
  expect(answerOf(received)).toEqual({ status: 200, body: { slow: true } });
});
