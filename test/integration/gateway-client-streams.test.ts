// Events of a run read over connections that break: none twice, none lost.
import type { ServerResponse } from 'node:http';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { createGatewayClient } from '#shared/gateway-client.ts';
import type { RunEvent } from '#shared/gateway-event-reader.ts';

import { failureOf } from '../support/client-failure.ts';
import { startClientWorld } from '../support/client-world.ts';
import { followEvents, numbersOf } from '../support/event-follower.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { createPausedClock } from '../support/paused-clock.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { startStandInGateway } from '../support/stand-in-gateway.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.close());

test('wherever the connection is cut, every event comes once and in order', async () => {
  await using world = await startClientWorld(gateway, {
    client: { patience: { firstDelaySecs: 0 } },
  });
  const { run_id: runId } = await world.app.run({ prompt: 'grüße 🙂 and 日本語' });
  const whole = await Array.fromAsync(world.app.events(runId));
  expect(whole.at(-1)?.type).toBe('run.completed');
  for (let received = 0; received < 1500; received += 23) {
    world.proxy.cutAll();
    await expect.poll(() => world.proxy.open(), { interval: 1 }).toBe(0);
    world.proxy.cutNext({ received }, { received: received + 150 }, { received });
    const events = await Array.fromAsync(world.app.events(runId));
    expect(events, `cut after ${received} bytes`).toEqual(whole);
  }
});

test('a run that is watched live over cuts tells its whole story', async () => {
  await using world = await startClientWorld(gateway);
  const prompt = `@@print 0.01\n${waitForGo}\nthe answer`;
  const reader = followEvents(world.app.stream({ prompt }));
  await untilHeld(gateway.runsDir, 1);
  await reader.untilSeen('run.started');
  const deltas = (): number => reader.seen.filter(({ type }) => type === 'message.delta').length;
  await expect.poll(deltas).toBeGreaterThan(0);
  for (let cut = 0; cut < 3; cut += 1) {
    const before = world.proxy.connections();
    world.proxy.cutAll();
    await expect.poll(() => world.proxy.connections()).toBeGreaterThan(before);
  }
  letGo(gateway.runsDir);
  const events = await reader.ended;
  expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { result: 'the answer' } });
  expect(numbersOf(events)).toEqual(events.map((_event, index) => index + 1));
  const runId = (await world.runs())[0]?.run_id ?? '';
  expect(await Array.fromAsync(world.app.events(runId))).toEqual(events);
});

test('a connection on which nothing comes for half a minute is dead: the events go on over another', async () => {
  const clock = createManualClock();
  await using world = await startClientWorld(gateway, { client: { clock } });
  const reader = followEvents(world.app.stream({ prompt: `${waitForGo}\nhello` }));
  await untilHeld(gateway.runsDir, 1);
  await reader.untilSeen('run.started');
  world.proxy.silenceAll();
  const before = world.proxy.connections();
  await clock.advance(29_000);
  expect(world.proxy.connections()).toBe(before);
  // The idle connection, which is tried first, is as dead.
  const laterConnections = async (): Promise<number> => {
    await clock.advance(5000);
    return world.proxy.connections();
  };
  await expect.poll(laterConnections).toBeGreaterThan(before);
  letGo(gateway.runsDir);
  expect(numbersOf(await reader.ended)).toEqual([1, 2, 3, 4, 5]);
});

test('a heartbeat is a sign of life: the half minute begins anew', async () => {
  const clock = createManualClock();
  let heard = 0;
  const counting = {
    ...clock,
    sleep: (ms: number, signal?: AbortSignal) => {
      heard += 1;
      return clock.sleep(ms, signal);
    },
  };
  const streams: ServerResponse[] = [];
  await using standIn = await startStandInGateway((_request, response) => {
    streams.push(response);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('retry: 2000\n\n');
  });
  await using app = createGatewayClient({ url: standIn.url, token: 'cf_any', clock: counting });
  const leave = new AbortController();
  const reader = followEvents(app.events('run_1', { signal: leave.signal }));
  // For the headers, for the first line, for what comes next.
  await expect.poll(() => heard).toBe(3);
  await clock.advance(20_000);
  streams[0]?.write(':\n\n');
  await expect.poll(() => heard).toBe(4);
  await clock.advance(20_000);
  expect(heard).toBe(4);
  expect(streams).toHaveLength(1);
  leave.abort();
  await expect(reader.ended).rejects.toThrow('aborted');
});

test('events that a gateway sends once more are not given once more', async () => {
  const started = JSON.stringify({ run_id: 'run_1', attempt: 1, queue_ms: 0 });
  const frame = (id: number): string => `id: ${id}\nevent: run.started\ndata: ${started}\n\n`;
  const lastIds: unknown[] = [];
  await using standIn = await startStandInGateway((request, response) => {
    lastIds.push(request.headers['last-event-id']);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end([1, 2, 3].slice(0, lastIds.length).map(frame).join(''));
  });
  const patience = { firstDelaySecs: 0, attempts: 2 };
  await using app = createGatewayClient({ url: standIn.url, token: 'cf_any', patience });
  const reader = followEvents(app.events('run_1'));
  // Of a connection that brings nothing new, the failure counts on.
  expect(await failureOf(reader.ended)).toMatchObject({ code: 'unreachable' });
  expect(numbersOf(reader.seen)).toEqual([1, 2, 3]);
  expect(lastIds).toEqual([undefined, '1', '2', '3']);
});

test('a gateway that stops says when to come back, and that is when the reader comes', async () => {
  const clock = createPausedClock();
  await using standIn = await startStandInGateway((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('event: server.shutdown\ndata: {"message":"bye","retry_after_secs":7}\n\n');
  });
  await using app = createGatewayClient({ url: standIn.url, token: 'cf_any', clock });
  const leave = new AbortController();
  const reader = followEvents(app.events('run_1', { signal: leave.signal }));
  await expect.poll(() => clock.pauses().length).toBe(1);
  expect(clock.pauses()[0]).toBeGreaterThanOrEqual(7000);
  leave.abort(new Error('enough'));
  await expect(reader.ended).rejects.toThrow('enough');
  expect(reader.seen).toEqual([]);
});

test('a reader that pauses for the whole of the run gets everything all the same', async () => {
  await using world = await startClientWorld(gateway);
  const events: RunEvent[] = [];
  for await (const event of world.app.stream({ prompt: '@@print 2\nthe answer' })) {
    events.push(event);
    if (event.type !== 'run.started') continue;
    await expect
      .poll(async () => (await world.runs())[0]?.status, { timeout: 15_000 })
      .toBe('ended');
  }
  expect(events.at(-1)?.type).toBe('run.completed');
  expect(numbersOf(events)).toEqual(events.map((_event, index) => index + 1));
});

describe('a stream that is left', () => {
  test('ends its run', async () => {
    await using world = await startClientWorld(gateway);
    for await (const event of world.app.stream({ prompt: waitForGo })) {
      if (event.type === 'run.started') break;
    }
    await expect.poll(async () => (await world.runs())[0]?.outcome).toBe('cancelled');
  });

  test('by its signal ends its run and leaves no connection', async () => {
    await using world = await startClientWorld(gateway);
    const leave = new AbortController();
    const reader = followEvents(world.app.stream({ prompt: waitForGo }, { signal: leave.signal }));
    await reader.untilSeen('run.started');
    leave.abort(new Error('enough'));
    await expect(reader.ended).rejects.toThrow('enough');
    await expect.poll(async () => (await world.runs())[0]?.outcome).toBe('cancelled');
    await world.app.close();
    await expect.poll(() => world.proxy.open()).toBe(0);
  });

  test('and has a key of its own goes on without its reader', async () => {
    await using world = await startClientWorld(gateway);
    const request = { prompt: `${waitForGo}\nhello` };
    const idempotencyKey = 'mine';
    for await (const event of world.app.stream(request, { idempotencyKey })) {
      if (event.type === 'run.started') break;
    }
    letGo(gateway.runsDir);
    const events = await Array.fromAsync(world.app.stream(request, { idempotencyKey }));
    expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { result: 'hello' } });
    expect(await world.runs()).toHaveLength(1);
  });

  test('by one who only looked on leaves the run alone', async () => {
    await using world = await startClientWorld(gateway);
    const { run_id: runId } = await world.app.submit({ prompt: `${waitForGo}\nhello` });
    for await (const event of world.app.events(runId)) {
      if (event.type === 'run.started') break;
    }
    letGo(gateway.runsDir);
    expect(await world.app.waitFor(runId)).toMatchObject({ outcome: 'completed' });
  });
});

test('a token that is revoked ends its streams with the reason', async () => {
  await using world = await startClientWorld(gateway);
  const reader = followEvents(world.app.stream({ prompt: `${waitForGo}\nhello` }));
  await untilHeld(gateway.runsDir, 1);
  await reader.untilSeen('run.started');
  const [app] = (await gateway.admin('/admin/tokens')).body.items;
  await gateway.admin(`/admin/tokens/${app.name}`, undefined, 'DELETE');
  expect(await failureOf(reader.ended)).toMatchObject({ code: 'unauthorized', status: 401 });
  letGo(gateway.runsDir);
});
