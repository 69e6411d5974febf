// The typed client against the real gateway: what each method gives.
import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createGatewayClient } from '#shared/gateway-client.ts';
import type { GatewayClient } from '#shared/gateway-client.ts';

import { failureOf } from '../support/client-failure.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
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
  await gateway[Symbol.asyncDispose]();
});

describe('a run', () => {
  test('is answered', async () => {
    const answer = await client.run({ prompt: 'hello' });
    expect(answer).toMatchObject({ ok: true, result: 'hello', run_id: expect.any(String) });
  });

  test('is submitted, looked at, waited for and listed', async () => {
    const { run_id: runId, status } = await client.submit({
      prompt: `${waitForGo}\nheld`,
      metadata: { ticket: '7' },
    });
    expect(status).toBe('starting');
    await untilHeld(gateway.runsDir, 1);
    expect(await client.get(runId)).toMatchObject({ status: 'running', metadata: { ticket: '7' } });
    expect(await client.get(runId, { waitSecs: 0.1 })).toMatchObject({ status: 'running' });
    expect((await client.list({ status: 'running' })).items).toMatchObject([{ run_id: runId }]);
    const ended = client.waitFor(runId);
    letGo(gateway.runsDir);
    expect(await ended).toMatchObject({ status: 'ended', outcome: 'completed', result: 'held' });
    expect(await client.get(runId, { waitSecs: 60 })).toMatchObject({ status: 'ended' });
  });

  test('is cancelled once; a later cancel is a conflict that names it', async () => {
    const { run_id: runId } = await client.submit({ prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    expect(await client.cancel(runId)).toMatchObject({ run_id: runId });
    expect(await client.waitFor(runId)).toMatchObject({ outcome: 'cancelled' });
    expect(await failureOf(client.cancel(runId))).toMatchObject({ code: 'conflict', runId });
  });

  test('is one of all runs, which are fetched page by page', async () => {
    for (const prompt of ['one', 'two', 'three']) await client.run({ prompt });
    const runs = await Array.fromAsync(client.allRuns({ limit: 2 }));
    const { items, next } = await client.list({ limit: 200 });
    expect(next).toBeNull();
    expect(runs.map((run) => run.run_id)).toEqual(items.map((run) => run.run_id));
    expect(runs.length).toBeGreaterThanOrEqual(3);
  });

  test('gives its events with their types, all of them or those after one', async () => {
    const { run_id: runId } = await client.run({ prompt: 'grüße 🙂' });
    const events = await Array.fromAsync(client.events(runId));
    expect(events.map(({ id, type }) => `${id} ${type}`)).toEqual([
      '1 run.queued',
      '2 run.started',
      '3 message.delta',
      '4 message.completed',
      '5 run.completed',
    ]);
    const texts = events.flatMap((event) =>
      event.type === 'message.delta' ? [event.data.text] : [],
    );
    expect(texts).toEqual(['grüße 🙂']);
    expect(await Array.fromAsync(client.events(runId, { after: 3 }))).toEqual(events.slice(3));
    expect(await Array.fromAsync(client.events(runId, { after: 5 }))).toEqual([]);
    const gone = failureOf(client.events(runId, { after: 6 }).next());
    expect(await gone).toMatchObject({ code: 'gone', status: 410 });
  });

  test('that is streamed is started and gives its events, also when it fails', async () => {
    const events = await Array.fromAsync(client.stream({ prompt: '@@error 529' }));
    expect(events.map(({ type }) => type)).toEqual(['run.queued', 'run.started', 'run.failed']);
    expect(events.at(-1)).toMatchObject({ data: { error: { code: 'overloaded' } } });
  });

  test('whose text is not kept gives its events without it', async () => {
    await using discreet = await startTestGateway({ env: { AUDIT_PROMPTS: 'none' } });
    await using app = createGatewayClient({ url: discreet.url, token: await discreet.mint('app') });
    const { run_id: runId } = await app.run({ prompt: 'secret' }, { idempotencyKey: null });
    const events = await Array.fromAsync(app.events(runId));
    expect(events.at(-1)?.type).toBe('run.completed');
    expect(JSON.stringify(events)).not.toContain('secret');
  });
});

async function* brokenSource() {
  yield Buffer.from('the first part');
  throw new Error('the disk is gone');
}

describe('a file', () => {
  const bytes = Buffer.from('the whole text of the file');
  const halves = async function* () {
    yield bytes.subarray(0, 7);
    yield bytes.subarray(7);
  };

  test.each([
    ['bytes', () => bytes],
    ['a blob', () => new Blob([bytes])],
    ['a stream', halves],
  ])('is uploaded from %s', async (_from, source) => {
    const name = 'a "quoted" näme.txt';
    const file = await client.upload(source(), { name, ttlSecs: 60, idempotencyKey: null });
    expect(file).toMatchObject({ name, size: bytes.length, ttl_secs: 60 });
    expect(file.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    await client.deleteFile(file.file_token);
  });

  test('is listed page by page, deleted, and then not there', async () => {
    for (const name of ['1.txt', '2.txt', '3.txt']) {
      await client.upload(bytes, { name, idempotencyKey: null });
    }
    expect((await client.files({ limit: 1 })).items).toMatchObject([{ name: '3.txt' }]);
    const files = await Array.fromAsync(client.allFiles({ limit: 2 }));
    expect(files.map(({ name }) => name)).toEqual(['3.txt', '2.txt', '1.txt']);
    for (const { file_token: fileToken } of files) await client.deleteFile(fileToken);
    expect(await Array.fromAsync(client.allFiles())).toEqual([]);
    const gone = failureOf(client.deleteFile(files[0]?.file_token ?? ''));
    expect(await gone).toMatchObject({ code: 'not_found', status: 404 });
  });

  test('that is too large is refused, while it is still sent as well', async () => {
    const tooLarge = { code: 'payload_too_large', status: 413 };
    const large = Buffer.alloc(33 * 2 ** 20, 'x');
    const twice = async function* () {
      yield large;
      yield large;
    };
    for (const source of [large, twice()]) {
      const upload = client.upload(source, { name: 'large.txt', idempotencyKey: null });
      expect(await failureOf(upload)).toMatchObject(tooLarge);
    }
  });

  test('whose source fails is a failure of the source', async () => {
    const upload = client.upload(brokenSource(), { name: 'a.txt', idempotencyKey: null });
    await expect(upload).rejects.toThrow('the disk is gone');
  });
});

test('health says how the gateway is', async () => {
  expect(await client.health()).toMatchObject({ ok: true, sandbox: 'none' });
});

test('answers of every kind leave their connection for the next request', async () => {
  await using proxy = await startCuttingProxy(gateway.url);
  await using app = createGatewayClient({ url: proxy.url, token });
  const { run_id: runId } = await app.run({ prompt: 'x' });
  for (let i = 0; i < 10; i += 1) {
    await failureOf(app.get('run_nope'));
    await Array.fromAsync(app.events(runId, { after: 5 }));
    await failureOf(app.deleteFile('ff_nope'));
    await app.health();
  }
  // A connection is free a moment after its answer has ended.
  expect(proxy.connections()).toBeLessThan(5);
});

test('of all these runs nothing is left', async () => {
  await expectNothingLeft(gateway.dataDir);
  expect(await gateway.runDirectories()).toEqual([]);
});
