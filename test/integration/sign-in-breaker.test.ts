// One run that was not signed in is enough: the next ones cost no process until a trial has succeeded.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

async function createWorld(env: Record<string, string> = {}) {
  const passed = { ms: 0 };
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passed.ms };
  const gateway = await startCheckedGateway({ clock, env: { AUTH_RETRY_SECS: '60', ...env } });
  const token = await gateway.mint('app');
  const log = join(gateway.dataDir, 'spawned');
  return {
    gateway,
    ask: (prompt: string) => gateway.run(token, { prompt: `@@log ${log}\n${prompt}` }),
    /** How many runs had a process. */
    spawned: () =>
      existsSync(log) ? (readFileSync(log, 'utf8').match(/"start"/g) ?? []).length : 0,
    pass: (secs: number) => (passed.ms += secs * 1000),
    authenticated: async () => (await gateway.fetch('/healthz')).body.authenticated as unknown,
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const notSignedIn = { status: 503, body: { error: { code: 'auth', retryable: false } } };

test('after one auth failure the next runs are refused without a process, until one succeeds', async () => {
  await using world = await createWorld();
  expect(await world.authenticated()).toBe('unknown');
  expect(await world.ask('@@error 401')).toMatchObject(notSignedIn);
  expect(await world.authenticated()).toBe(false);

  const refused = await Promise.all([world.ask('one'), world.ask('two'), world.ask('three')]);
  for (const answer of refused) expect(answer).toMatchObject(notSignedIn);
  expect(world.spawned()).toBe(1);
  const ready = await world.gateway.fetch('/readyz');
  expect(ready).toMatchObject({ status: 503 });
  expect(ready.body.parts).toContainEqual(
    expect.objectContaining({ name: 'credential', ok: false }),
  );

  world.pass(60);
  expect(await world.ask('@@error 401')).toMatchObject(notSignedIn);
  expect(await world.ask('hello')).toMatchObject(notSignedIn);
  expect(world.spawned()).toBe(2);

  world.pass(60);
  expect((await world.ask('hello')).body).toMatchObject({ ok: true, result: 'hello' });
  expect((await world.ask('again')).status).toBe(200);
  expect(await world.authenticated()).toBe(true);
  const rows = await world.gateway.audit('?action=run');
  expect(rows.map((row) => row.outcome)).toEqual([
    ...['completed', 'completed', 'auth', 'auth', 'auth', 'auth', 'auth', 'auth'],
  ]);
});

test('a refusal says what mends it and shows no credential', async () => {
  await using world = await createWorld();
  for (const prompt of ['@@error 403', 'refused at once']) {
    const { body, text } = await world.ask(prompt);
    expect(body.error.message).toContain('ANTHROPIC_API_KEY');
    expect(text).not.toContain('sk-test');
  }
});

test('runs that already wait are refused as well', async () => {
  await using world = await createWorld({ GATEWAY_CONCURRENCY: '1' });
  const { gateway } = world;
  const first = world.ask(`${waitForGo}\n@@error 401`);
  await untilHeld(gateway.runsDir, 1);
  const waiting = [world.ask('one'), world.ask('two')];
  await expect.poll(() => gateway.gateway.engine.queue.counts().waiting).toBe(2);
  letGo(gateway.runsDir);
  for (const answer of await Promise.all([first, ...waiting])) {
    expect(answer).toMatchObject(notSignedIn);
  }
  expect(world.spawned()).toBe(1);
});

test('while one run tries, the others are refused', async () => {
  await using world = await createWorld();
  await world.ask('@@error 401');
  world.pass(60);
  const trial = world.ask(`${waitForGo}\nhello`);
  await untilHeld(world.gateway.runsDir, 1);
  expect(await world.ask('too early')).toMatchObject(notSignedIn);
  letGo(world.gateway.runsDir);
  expect((await trial).status).toBe(200);
});

test('a trial that crashes proves nothing and shuts nobody out', async () => {
  await using world = await createWorld();
  await world.ask('@@error 401');
  world.pass(60);
  const trial = world.ask('@@exit 1');
  expect((await trial).body.error.code).toBe('crashed');
  expect((await world.ask('hello')).status).toBe(200);
});
