// What the typed client asks again, and that nothing is done twice by it.
import { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createGatewayClient } from '#shared/gateway-client.ts';

import { failureOf } from '../support/client-failure.ts';
import { startClientWorld } from '../support/client-world.ts';
import type { Cut } from '../support/cutting-proxy.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createPausedClock } from '../support/paused-clock.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { startStandInGateway } from '../support/stand-in-gateway.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';
import { takesKeyedUploads } from '../support/upload-form.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.close());

const patience = { firstDelaySecs: 0.01 };
const cuts: [string, Cut][] = [
  ['while the request is sent', { sent: 300 }],
  ['before the answer begins', { received: 0 }],
  ['in the headers of the answer', { received: 60 }],
  ['in the body of the answer', { received: 420 }],
];

test.each(cuts)('a connection that is cut %s costs no run anything', async (_when, cut) => {
  await using world = await startClientWorld(gateway);
  const request = { prompt: `${world.counted}\nhello ${'.'.repeat(300)}` };
  world.proxy.cutNext(cut);
  expect((await world.app.run(request)).result).toMatch(/^hello/);
  expect(world.proxy.connections()).toBeGreaterThan(1);
  expect(world.starts()).toBe(1);

  world.proxy.cutAll();
  await expect.poll(() => world.proxy.open()).toBe(0);
  const before = world.proxy.connections();
  world.proxy.cutNext(cut);
  const { run_id: runId } = await world.app.submit(request);
  expect(await world.app.waitFor(runId)).toMatchObject({ outcome: 'completed' });
  expect(world.proxy.connections()).toBeGreaterThan(before + 1);
  expect(world.starts()).toBe(2);
  expect(await world.runs()).toHaveLength(2);
});

test('a connection that breaks in the middle of a run is not missed: its end is waited for', async () => {
  await using world = await startClientWorld(gateway);
  const answer = world.app.run({ prompt: `${world.counted}\n${waitForGo}\nhello` });
  await untilHeld(gateway.runsDir, 1);
  world.proxy.cutAll();
  await expect.poll(() => world.proxy.connections()).toBeGreaterThan(2);
  // Also that of the waiting.
  world.proxy.cutAll();
  await expect.poll(() => world.proxy.connections()).toBeGreaterThan(3);
  letGo(gateway.runsDir);
  expect((await answer).result).toBe('hello');
  expect(world.starts()).toBe(1);
});

test('a run that takes longer than one connection is trusted is waited for over others', async () => {
  const clock = createManualClock();
  await using world = await startClientWorld(gateway, { client: { clock } });
  const answer = world.app.run({ prompt: `${world.counted}\n${waitForGo}\nhello` });
  await untilHeld(gateway.runsDir, 1);
  await clock.advance(119_000);
  expect(world.proxy.connections()).toBe(1);
  const laterConnections = async (): Promise<number> => {
    await clock.advance(1000);
    return world.proxy.connections();
  };
  await expect.poll(laterConnections).toBeGreaterThan(2);
  letGo(gateway.runsDir);
  expect((await answer).result).toBe('hello');
  expect(world.starts()).toBe(1);
});

test('a key that is used again gives the answer of the first run, under way or ended', async () => {
  await using world = await startClientWorld(gateway);
  const request = { prompt: `${world.counted}\n${waitForGo}\nhello` };
  const ask = () => world.app.run(request, { idempotencyKey: 'the-key' });
  const first = ask();
  await untilHeld(gateway.runsDir, 1);
  const second = ask();
  letGo(gateway.runsDir);
  const answers = await Promise.all([first, second, ask()]);
  expect(new Set(answers.map((answer) => answer.run_id)).size).toBe(1);
  expect(world.starts()).toBe(1);
  const other = world.app.run({ prompt: 'another' }, { idempotencyKey: 'the-key' });
  expect(await failureOf(other)).toMatchObject({ code: 'idempotency_mismatch', status: 422 });
});

test('a request without a key is sent once, and its run ends with its connection', async () => {
  await using world = await startClientWorld(gateway);
  const prompt = `${world.counted}\n${waitForGo}`;
  const answer = failureOf(world.app.run({ prompt }, { idempotencyKey: null }));
  await untilHeld(gateway.runsDir, 1);
  world.proxy.cutAll();
  expect(await answer).toMatchObject({ code: 'unreachable', status: null });
  await expect.poll(async () => (await world.runs())[0]?.outcome).toBe('client_gone');
  world.proxy.cutNext({ received: 0 });
  expect(
    await failureOf(world.app.submit({ prompt: 'x' }, { idempotencyKey: null })),
  ).toMatchObject({ code: 'unreachable' });
  expect(world.starts()).toBe(1);
});

test('how a run has ended is its last word: it is not started again', async () => {
  await using world = await startClientWorld(gateway);
  const answer = world.app.run({ prompt: `${world.counted}\n@@error 529` });
  expect(await failureOf(answer)).toMatchObject({ code: 'overloaded', retryable: true });
  expect(world.starts()).toBe(1);
  expect(world.proxy.connections()).toBe(1);
  // Nothing starts for some seconds after an overload, until a run is answered.
  await world.app.run({ prompt: 'ends the pause' });
});

describe('an app that is told to come back later', () => {
  const limits = { max_queued: 0, max_concurrent: 1 };

  test('comes back then, and is served', async () => {
    const clock = createPausedClock();
    await using world = await startClientWorld(gateway, { client: { clock }, limits });
    const first = world.app.run({ prompt: `${waitForGo}\nfirst` });
    await untilHeld(gateway.runsDir, 1);
    const second = world.app.run({ prompt: 'second' });
    await expect.poll(() => clock.pauses().length).toBe(1);
    // The gateway asks for so long; who was turned away at the same time does not come back at the same time.
    expect(clock.pauses()[0]).toBeGreaterThanOrEqual(3000);
    letGo(gateway.runsDir);
    expect((await first).result).toBe('first');
    clock.goOn();
    expect((await second).result).toBe('second');
  });

  test('is told so at once when that is later than it has patience for', async () => {
    await using world = await startClientWorld(gateway, {
      limits,
      client: { patience: { totalSecs: 1 } },
    });
    const first = world.app.run({ prompt: `${waitForGo}\nfirst` });
    await untilHeld(gateway.runsDir, 1);
    const refused = await failureOf(world.app.run({ prompt: 'second' }));
    expect(refused).toMatchObject({ code: 'app_busy', status: 429, retryAfterSecs: 3 });
    letGo(gateway.runsDir);
    await first;
  });
});

test('a gateway that stays away is given up after so many attempts', async () => {
  let asked = 0;
  await using nobody = await startStandInGateway((request) => {
    asked += 1;
    request.socket.destroy();
  });
  await using app = createGatewayClient({
    ...{ url: nobody.url, token: 'cf_any', patience: { ...patience, attempts: 4 } },
  });
  expect(await failureOf(app.run({ prompt: 'x' }))).toMatchObject({ code: 'unreachable' });
  expect(asked).toBe(4);
  expect(await failureOf(app.health())).toMatchObject({ code: 'unreachable' });
  expect(asked).toBe(5);
});

test('a proxy that finds nobody behind it is asked again, one that refuses is not', async () => {
  const statuses = [502, 503, 504, 403];
  let asked = 0;
  await using proxy = await startStandInGateway((_request, response) => {
    response.writeHead(statuses[asked] ?? 500).end('<h1>nginx</h1>');
    asked += 1;
  });
  await using app = createGatewayClient({ url: proxy.url, token: 'cf_any', patience });
  expect(await failureOf(app.get('run_1'))).toMatchObject({ code: 'bad_answer', status: 403 });
  expect(asked).toBe(4);
});

test('a cancel or a deletion that was heard before its connection broke is a success', async () => {
  await using world = await startClientWorld(gateway);
  const { app, proxy } = world;
  const { run_id: runId } = await app.submit({ prompt: waitForGo });
  await untilHeld(gateway.runsDir, 1);
  const { file_token: fileToken } = await app.upload(Buffer.from('x'), {
    ...{ name: 'x.txt', idempotencyKey: null },
  });
  // Their own connection each, and the next one.
  proxy.cutAll();
  await expect.poll(() => proxy.open()).toBe(0);
  proxy.cutNext({ received: 0 });
  expect(await app.cancel(runId)).toMatchObject({ run_id: runId });
  expect(await app.waitFor(runId)).toMatchObject({ outcome: 'cancelled' });
  proxy.cutAll();
  await expect.poll(() => proxy.open()).toBe(0);
  proxy.cutNext({ received: 0 });
  await app.deleteFile(fileToken);
  expect((await app.files()).items).toEqual([]);
});

test('an upload whose connection is cut is kept once', async ({ skip }) => {
  await using world = await startClientWorld(gateway);
  skip(!(await takesKeyedUploads(gateway, world.token)), 'POST /files takes no key yet');
  world.proxy.cutNext({ sent: 400 }, { received: 0 }, { received: 200 });
  const file = await world.app.upload(Buffer.alloc(10_000, 'x'), { name: 'x.txt' });
  const names = (await world.app.files()).items.map((each) => each.name);
  expect(names).toEqual(['x.txt', 'a.txt']);
  await world.app.deleteFile(file.file_token);
});

test('a keyed upload is sent again to the byte, a stream is not', async () => {
  const bodies: string[] = [];
  const keys: unknown[] = [];
  await using flaky = await startStandInGateway((request, response) => {
    keys.push(request.headers['idempotency-key']);
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      bodies.push(body);
      if (bodies.length === 2) {
        const file = { file_token: 'ff_1', name: 'a', media_type: 'text/plain', sha256: '0' };
        response.writeHead(201).end(JSON.stringify({ ...file, size: 4, ttl_secs: 60 }));
      } else {
        request.socket.destroy();
      }
    });
  });
  await using app = createGatewayClient({ url: flaky.url, token: 'cf_any', patience });
  const file = await app.upload(Buffer.from('text'), { name: 'a' });
  expect(file.file_token).toBe('ff_1');
  expect(bodies[1]).toBe(bodies[0]);
  expect(keys[1]).toBe(keys[0]);
  expect(
    await failureOf(app.upload(Readable.from([Buffer.from('text')]), { name: 'a' })),
  ).toMatchObject({
    code: 'unreachable',
  });
  expect(bodies).toHaveLength(3);
});
