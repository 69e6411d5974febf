// How failures look in the typed client, what it makes of answers that are none, and what it never shows.
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { inspect } from 'node:util';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { GatewayError } from '#shared/gateway-client-error.ts';
import { createGatewayClient } from '#shared/gateway-client.ts';
import type { GatewayClient } from '#shared/gateway-client.ts';
import type { RunEvent } from '#shared/gateway-event-reader.ts';

import { failureOf } from '../support/client-failure.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { startStandInGateway } from '../support/stand-in-gateway.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

let gateway: TestGateway;
let client: GatewayClient;
let token: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.mint('app');
  client = createGatewayClient({ url: gateway.url, token });
});

afterAll(async () => {
  await client.close();
  await gateway.close();
});

/** A client of something that answers in the gateway's place. */
async function clientOf(answer: RequestListener, path = '') {
  const standIn = await startStandInGateway(answer);
  const app = createGatewayClient({ url: `${standIn.url}${path}`, token: 'cf_any' });
  return {
    ...app,
    [Symbol.asyncDispose]: async () => {
      await app.close();
      await standIn[Symbol.asyncDispose]();
    },
  };
}

describe('a failure', () => {
  test('of the request says what is wrong with which field', async () => {
    const failure = await failureOf(client.run({ prompt: 'x', timeout_secs: 99_999 }));
    expect(failure).toMatchObject({
      ...{ code: 'invalid_request', status: 400, retryable: false },
      message: 'timeout_secs must be at most 3600',
      requestId: expect.stringMatching(/^req_/),
      details: { field: 'timeout_secs' },
    });
  });

  test('of the run has its outcome, its number and when to come back', async () => {
    const failure = await failureOf(client.run({ prompt: '@@error 529' }));
    expect(failure).toMatchObject({
      ...{ code: 'overloaded', status: 503, retryable: true, retryAfterSecs: 30 },
      runId: expect.stringMatching(/^run_/),
    });
  });

  test('of a gateway that is not there has a code of its own', async () => {
    await using nobody = createGatewayClient({ url: 'http://127.0.0.1:1', token });
    const failure = await failureOf(nobody.health());
    expect(failure).toMatchObject({ code: 'unreachable', status: null, retryable: true });
    expect(failure.message).toContain('ECONNREFUSED');
  });

  test.each([
    ['text that is no JSON', 200, 'ok'],
    ['JSON of another form', 200, '{"ok":true,"sandbox":7}'],
    ['an empty answer', 200, ''],
    ['an error of somebody else', 404, '<h1>Not Found</h1>'],
    ['a way to somewhere else', 302, ''],
  ])('of an answer that is not the gateway’s has one as well: %s', async (_what, status, body) => {
    await using other = await clientOf((_request, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end(body);
    });
    const failure = await failureOf(other.health());
    expect(failure).toMatchObject({ code: 'bad_answer', status, retryable: false });
  });

  test('of a connection on which nothing comes has one', async () => {
    const clock = createManualClock();
    const patience = { attempts: 1 };
    await using silent = await startStandInGateway(() => {});
    await using app = createGatewayClient({ url: silent.url, token, clock, patience });
    const failure = failureOf(app.get('run_1'));
    await clock.advance(30_000);
    expect(await failure).toMatchObject({ code: 'no_answer', status: null, retryable: true });
  });

  test('of a stream that is none is a bad answer', async () => {
    await using other = await clientOf((_request, response) => response.end('{}'));
    const failure = await failureOf(other.events('run_1').next());
    expect(failure).toMatchObject({ code: 'bad_answer', status: 200 });
  });
});

test('fields and types of events that this client does not know pass', async () => {
  await using other = await clientOf((request, response) => {
    if (request.url === '/healthz') {
      const health = { ok: true, claude_present: true, claude_version: '1', sandbox: 'x' };
      response.end(JSON.stringify({ ...health, authenticated: true, mood: 'good' }));
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const queued = {
      run_id: 'run_1',
      queue_position: 0,
      estimate_secs: 1,
      attempt: 0,
      mood: 'good',
    };
    response.write(`id: 1\nevent: run.queued\ndata: ${JSON.stringify(queued)}\n\n`);
    response.write('event: weather\ndata: 1\n\nid: 2\nevent: run.pondered\ndata: {"for_ms":7}\n\n');
  });
  expect(await other.health()).toMatchObject({ mood: 'good' });
  const events = other.events('run_1');
  const next = async (): Promise<RunEvent | undefined> => (await events.next()).value ?? undefined;
  expect(await next()).toMatchObject({ type: 'run.queued', data: { mood: 'good' } });
  const pondered = { type: 'unknown', name: 'run.pondered', id: 2, data: { for_ms: 7 } };
  expect(await next()).toEqual(pondered);
  await events.return();
});

test('the token is in no error, no view of the client and no URL', async () => {
  await using proxy = await startCuttingProxy(gateway.url);
  await using app = createGatewayClient({ url: proxy.url, token, patience: { attempts: 1 } });
  const failures = [await failureOf(app.get('run_nope'))];
  proxy.cutNext({ received: 0 });
  await app.health().catch((err: GatewayError) => failures.push(err));
  failures.push(await failureOf(app.run({ prompt: '@@error 529' })));
  const shown = [app, ...failures].map((each) => [
    inspect(each, { depth: Number.POSITIVE_INFINITY, showHidden: true }),
    JSON.stringify(each),
  ]);
  expect(failures).toHaveLength(3);
  expect(shown.flat().join()).not.toContain(token.slice(0, 12));
  expect(JSON.stringify(gateway.logged())).not.toContain(token);
});

test.each([
  ['http://user:secret@127.0.0.1', 'cf_secret'],
  ['http://127.0.0.1/?token=secret', 'cf_secret'],
  ['ftp://127.0.0.1/secret', 'cf_secret'],
  ['127.0.0.1:8800/secret', 'cf_secret'],
  ['http://127.0.0.1', 'secret\n'],
  ['http://127.0.0.1', ''],
])('an address or token that cannot be is refused and not repeated: %s', (url, wrong) => {
  const create = (): unknown => createGatewayClient({ url, token: wrong });
  expect(create).toThrow(TypeError);
  expect(create).not.toThrow('secret');
});

test('a gateway under a path of a proxy is asked there, and no id leads out of it', async () => {
  const paths: (string | undefined)[] = [];
  const answer: RequestListener = (request, response) => {
    paths.push(request.url);
    response.writeHead(404).end();
  };
  await using other = await clientOf(answer, '/gatehouse/');
  await failureOf(other.get('../x'));
  await failureOf(other.list({ status: 'queued', limit: 3 }));
  expect(paths).toEqual(['/gatehouse/runs/..%2Fx', '/gatehouse/runs?status=queued&limit=3']);
});

test('what answers and is no HTTP is a bad answer', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.resume().end('220 mail.example ESMTP\r\n');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await using mail = createGatewayClient({ url: `http://127.0.0.1:${port}`, token });
  expect(await failureOf(mail.get('run_1'))).toMatchObject({ code: 'bad_answer', status: null });
  server.close();
  await once(server, 'close');
});

test('a key that cannot be is refused before anything is sent', async () => {
  for (const idempotencyKey of ['', 'ü', 'a\n', 'x'.repeat(256)]) {
    const submitted = client.submit({ prompt: 'x' }, { idempotencyKey });
    await expect(submitted).rejects.toThrow(TypeError);
  }
});
