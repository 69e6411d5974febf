// Who leaves a call of the typed client early: nothing of it stays open, and no run goes on for nobody.
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createGatewayClient } from '#shared/gateway-client.ts';

import { failureOf } from '../support/client-failure.ts';
import { startClientWorld } from '../support/client-world.ts';
import { followEvents } from '../support/event-follower.ts';
import { createPausedClock } from '../support/paused-clock.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { startStandInGateway } from '../support/stand-in-gateway.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

const reason = new Error('enough');
let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.close());

test('a call that is aborted leaves no connection and no run behind, when the run has begun', async () => {
  await using world = await startClientWorld(gateway);
  const leave = new AbortController();
  const answer = world.app.run({ prompt: waitForGo }, { signal: leave.signal });
  await untilHeld(gateway.runsDir, 1);
  leave.abort(reason);
  await expect(answer).rejects.toBe(reason);
  await expect.poll(async () => (await world.runs())[0]?.outcome).toBe('cancelled');
  // Those of the cancel are left, for the next request.
  await expect.poll(() => world.proxy.open()).toBeLessThanOrEqual(2);
  await world.app.close();
  await expect.poll(() => world.proxy.open()).toBe(0);
});

test('a call that is aborted leaves its run to the key when the app has given one', async () => {
  await using world = await startClientWorld(gateway);
  const leave = new AbortController();
  const request = { prompt: `${waitForGo}\nhello` };
  const idempotencyKey = 'mine';
  const answer = world.app.run(request, { idempotencyKey, signal: leave.signal });
  await untilHeld(gateway.runsDir, 1);
  leave.abort(reason);
  await expect(answer).rejects.toBe(reason);
  letGo(gateway.runsDir);
  expect((await world.app.run(request, { idempotencyKey })).result).toBe('hello');
  expect(await world.runs()).toHaveLength(1);
});

test('a call that is aborted ends at once where nothing answers', async () => {
  await using world = await startClientWorld(gateway);
  await world.app.health();
  world.proxy.silenceAll();
  const leave = new AbortController();
  const calls = [
    world.app.get('run_1', { signal: leave.signal }),
    world.app.waitFor('run_1', { signal: leave.signal }),
    world.app.events('run_1', { signal: leave.signal }).next(),
    world.app.submit({ prompt: 'x' }, { signal: leave.signal }),
  ];
  leave.abort(reason);
  const results = await Promise.allSettled(calls);
  expect(results).toEqual(calls.map(() => ({ status: 'rejected', reason })));
  expect(await world.runs()).toEqual([]);
});

test('a call that is aborted ends at once during a pause, and was not asked again', async () => {
  const clock = createPausedClock();
  let asked = 0;
  await using nobody = await startStandInGateway((request) => {
    asked += 1;
    request.socket.destroy();
  });
  await using app = createGatewayClient({ url: nobody.url, token: 'cf_any', clock });
  const leave = new AbortController();
  const answer = app.get('run_1', { signal: leave.signal });
  await expect.poll(() => clock.pauses().length).toBe(1);
  leave.abort(reason);
  await expect(answer).rejects.toBe(reason);
  expect(asked).toBe(1);
});

test('a call that is aborted before it began asks nothing', async () => {
  await using world = await startClientWorld(gateway);
  const signal = AbortSignal.abort(reason);
  await expect(world.app.run({ prompt: 'x' }, { signal })).rejects.toBe(reason);
  await expect(world.app.submit({ prompt: 'x' }, { signal })).rejects.toBe(reason);
  await expect(world.app.get('run_1', { signal })).rejects.toBe(reason);
  expect(world.proxy.connections()).toBe(0);
});

test('a run that was turned away is not started by aborting it', async () => {
  const clock = createPausedClock();
  const limits = { max_queued: 0, max_concurrent: 1 };
  await using world = await startClientWorld(gateway, { client: { clock }, limits });
  const first = world.app.run({ prompt: `${waitForGo}\nfirst` });
  await untilHeld(gateway.runsDir, 1);
  const leave = new AbortController();
  const second = world.app.run({ prompt: world.counted }, { signal: leave.signal });
  await expect.poll(() => clock.pauses().length).toBe(1);
  letGo(gateway.runsDir);
  expect((await first).result).toBe('first');
  leave.abort(reason);
  await expect(second).rejects.toBe(reason);
  expect(await world.runs()).toHaveLength(1);
});

test('a client that is closed ends its calls, those under way and those in a pause', async () => {
  const clock = createPausedClock();
  await using world = await startClientWorld(gateway, { client: { clock } });
  const { run_id: runId } = await world.app.submit({ prompt: `${waitForGo}\nhello` });
  await untilHeld(gateway.runsDir, 1);
  const waiting = failureOf(world.app.waitFor(runId));
  const reading = failureOf(followEvents(world.app.events(runId)).ended);
  await expect.poll(() => world.proxy.open()).toBeGreaterThan(1);
  await using nobody = await startStandInGateway((request) => request.socket.destroy());
  const lost = createGatewayClient({ url: nobody.url, token: 'cf_any', clock });
  const pausing = failureOf(lost.get('run_1'));
  await expect.poll(() => clock.pauses().length).toBe(1);
  await Promise.all([world.app.close(), lost.close()]);
  for (const failure of await Promise.all([waiting, reading, pausing])) {
    expect(failure).toMatchObject({ code: 'closed', retryable: false });
  }
  expect(await failureOf(world.app.health())).toMatchObject({ code: 'closed' });
  letGo(gateway.runsDir);
  await expect.poll(async () => (await world.runs())[0]?.outcome).toBe('completed');
});
