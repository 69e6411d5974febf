// AM-02, AM-08, CL-03: a used-up window costs one run, not one run after the other; what waits goes on when it opens again.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { startCheckedGateway } from '../support/leak-check.ts';
import { readMetrics } from '../support/metric-samples.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import type { TestGatewayOptions } from '../support/test-gateway.ts';

const patient = { timeout: 20_000 };

async function createWorld(options: TestGatewayOptions = {}) {
  const passed = { ms: 0 };
  const clock = { ...systemClock, now: () => systemClock.now() + passed.ms };
  const gateway = await startCheckedGateway({ clock, ...options });
  const token = await gateway.mint('app');
  const log = join(gateway.dataDir, 'spawned');
  const logged = (prompt: string) => ({ prompt: `@@log ${log}\n${prompt}` });
  const { queue } = gateway.gateway.engine;
  return {
    ...{ gateway, token, passed },
    ask: (prompt: string) => gateway.run(token, logged(prompt)),
    submit: (prompt: string) => gateway.as(token, '/runs', { body: logged(prompt) }),
    /** How many runs had a process. */
    spawned: () =>
      existsSync(log) ? (readFileSync(log, 'utf8').match(/"start"/g) ?? []).length : 0,
    pass: (secs: number) => void (passed.ms += secs * 1000),
    now: clock.now,
    waiting: () => queue.counts().waiting,
    limits: async () => (await gateway.admin('/admin/limits')).body,
    queuePart: async () => {
      const { status, body } = await gateway.fetch('/readyz');
      return { status, ...body.parts.find((part: { name: string }) => part.name === 'queue') };
    },
    metrics: () => readMetrics(gateway),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

const limited = { status: 429, body: { error: { code: 'rate_limited', retryable: true } } };

describe('a window that is used up for two minutes', () => {
  test('refuses the run that met it with its reset, and starts nothing until then', async () => {
    await using world = await createWorld();
    const met = await world.ask('@@hit-limit 120');
    expect(met).toMatchObject(limited);
    const { retry_after_secs: secs, details } = met.body.error;
    expect(secs).toBeGreaterThan(60);
    expect(secs).toBeLessThanOrEqual(121);
    expect(Number(met.headers.get('retry-after'))).toBe(secs);
    expect(met.body.error.message).toContain(details.resets_at);

    const refused = await world.ask('too early');
    expect(refused).toMatchObject(limited);
    expect(refused.body.error.details).toEqual(details);
    expect(refused.body.error.retry_after_secs).toBeLessThanOrEqual(secs);
    const accepted = await world.submit('later');
    expect(accepted).toMatchObject({
      ...{ status: 202, body: { status: 'queued', waits_until: details.resets_at } },
    });
    const path = `/runs/${accepted.body.run_id}`;
    expect((await world.gateway.as(world.token, `${path}?wait=2`)).body).toMatchObject({
      ...{ status: 'queued', waits_until: details.resets_at },
    });
    expect(world.spawned()).toBe(1);
    world.pass(60);
    expect(await world.ask('still too early')).toMatchObject(limited);
    expect(world.spawned()).toBe(1);

    world.pass(61);
    const ended = await world.gateway.ended(world.token, accepted.body.run_id);
    expect(ended).toMatchObject({ outcome: 'completed', result: 'later' });
    expect((await world.ask('open again')).status).toBe(200);
    expect(world.spawned()).toBe(3);
  });

  test('lets exactly one run try after the reset; when it is answered, the queue drains', async () => {
    await using world = await createWorld({ env: { GATEWAY_CONCURRENCY: '3' } });
    const { gateway, token } = world;
    await world.ask('@@hit-limit 120');
    const ids: string[] = [];
    for (const prompt of [`${waitForGo}\nprobe`, 'second', 'third', 'fourth']) {
      ids.push((await world.submit(prompt)).body.run_id);
    }
    world.pass(121);
    await untilHeld(gateway.runsDir, 1);
    // The dispatcher looks every second.
    const second = await gateway.as(token, `/runs/${ids[1]}?wait=3`);
    expect(second.body.status).toBe('queued');
    expect([world.spawned(), world.waiting()]).toEqual([2, 3]);
    letGo(gateway.runsDir);
    for (const runId of ids) {
      expect((await gateway.ended(token, runId)).outcome).toBe('completed');
    }
    expect(world.spawned()).toBe(5);
  });

  test('parks again when the one that tries is refused', async () => {
    await using world = await createWorld();
    await world.ask('@@hit-limit 120');
    world.pass(121);
    expect(await world.ask('@@hit-limit 7200')).toMatchObject(limited);
    const refused = await world.ask('too early');
    expect(refused.body.error.retry_after_secs).toBeGreaterThan(6000);
    expect(world.spawned()).toBe(2);
  });

  test('is told by /readyz, /me, /admin/limits, /metrics and the log, and is no failure', async () => {
    await using world = await createWorld();
    const { gateway, token } = world;
    expect(await world.limits()).toEqual({ items: [], next: null, parked: null });
    const met = await world.ask('@@hit-limit 120');
    const { resets_at: until } = met.body.error.details;
    const window = { window: 'five_hour', status: 'rejected', utilization: null };
    const shown = [{ ...window, resets_at: until, seen_at: expect.any(String) }];
    const parked = { until, since: expect.any(String), window: 'five_hour' };
    expect(await world.limits()).toEqual({ items: shown, next: null, parked });
    const me = await gateway.as(token, '/me');
    expect(me.body.subscription).toEqual({ windows: shown, parked });
    const part = await world.queuePart();
    expect(part).toMatchObject({ status: 200, ok: true });
    expect(part.message).toContain(`parked until ${until}`);
    const { value } = await world.metrics();
    expect(value('gatehouse_queue_parked')).toBe(1);
    expect(value('gatehouse_queue_parked_until_timestamp_seconds')).toBe(Date.parse(until) / 1000);
    const reset = value('gatehouse_limit_reset_timestamp_seconds', { window: 'five_hour' });
    expect(reset).toBe(Date.parse(until) / 1000);

    // A park longer than what is a standstill of the queue otherwise.
    world.pass(121);
    expect((await world.ask('hello')).status).toBe(200);
    expect(await world.limits()).toMatchObject({ parked: null, items: [{ status: null }] });
    expect((await world.metrics()).value('gatehouse_queue_parked')).toBe(0);
    const messages = gateway.logged().map(({ msg }) => msg);
    expect(messages).toContain('queue parked: the limit of the subscription is reached');
    expect(messages).toContain('queue opens: the subscription answers again');
  });
});

describe('runs that are there when the queue is parked', () => {
  test('are answered at once when their client waits, and wait when it does not', async () => {
    await using world = await createWorld({ env: { GATEWAY_CONCURRENCY: '1' } });
    const { gateway, token } = world;
    const first = world.ask(`${waitForGo}\n@@hit-limit 120`);
    await untilHeld(gateway.runsDir, 1);
    const waits = world.ask('sync');
    await expect.poll(world.waiting, patient).toBe(1);
    const later = await world.submit('async');
    const keyed = gateway.as(token, '/run', {
      ...{ body: { prompt: 'keyed' }, headers: { 'idempotency-key': 'k' } },
    });
    await expect.poll(world.waiting, patient).toBe(3);
    letGo(gateway.runsDir);
    expect(await first).toMatchObject(limited);
    const refused = await waits;
    expect(refused).toMatchObject(limited);
    expect(refused.body.error.retry_after_secs).toBeGreaterThan(60);
    expect([world.waiting(), world.spawned()]).toEqual([2, 1]);
    world.pass(121);
    expect((await gateway.ended(token, later.body.run_id)).outcome).toBe('completed');
    expect((await keyed).body.result).toBe('keyed');
  });

  test('go back to the queue when the limit refused them and nobody waits', async () => {
    await using world = await createWorld();
    const { gateway, token } = world;
    // The file makes it meet the limit the first time only.
    const { body } = await world.submit('@@once-hit-limit 120\nhello');
    const path = `/runs/${body.run_id}`;
    const status = async () => (await gateway.as(token, path)).body;
    await expect.poll(async () => (await status()).waits_until, patient).toBeDefined();
    expect(await status()).toMatchObject({ status: 'queued', attempt: 1 });
    world.pass(121);
    expect(await gateway.ended(token, body.run_id)).toMatchObject({
      ...{ outcome: 'completed', result: 'hello', attempt: 2 },
    });
    const events = await gateway.as(token, `${path}/events`);
    const types = [...events.text.matchAll(/^event: (.+)$/gm)].map(([, type]) => type);
    expect(types.slice(0, 5)).toEqual([
      ...['run.queued', 'run.started', 'limit.updated', 'retry', 'run.queued'],
    ]);
    expect(events.text).toContain('"reason":"rate_limited"');
  });

  test('end in the third try that the limit refuses', async () => {
    await using world = await createWorld();
    const { gateway, token } = world;
    const { body } = await world.submit('@@hit-limit 120');
    const look = async () => (await gateway.as(token, `/runs/${body.run_id}`)).body;
    for (const attempt of [1, 2]) {
      await expect.poll(look, patient).toMatchObject({ status: 'queued', attempt });
      world.pass(1000);
    }
    expect((await gateway.ended(token, body.run_id)).outcome).toBe('rate_limited');
    expect(world.spawned()).toBe(3);
  });

  test('are cancelled as ever', async () => {
    await using world = await createWorld();
    const { gateway, token } = world;
    await world.ask('@@hit-limit 120');
    const { body } = await world.submit('never');
    await gateway.as(token, `/runs/${body.run_id}/cancel`, { method: 'POST' });
    expect((await gateway.ended(token, body.run_id)).outcome).toBe('cancelled');
    expect(world.spawned()).toBe(1);
  });
});

describe('a restart', () => {
  test('forgets neither the parked queue nor the windows', async () => {
    let kept = '';
    let runId = '';
    let token = '';
    {
      await using world = await createWorld({ keep: true });
      kept = world.gateway.dataDir;
      token = world.token;
      await world.ask('@@hit-limit 120');
      runId = (await world.submit('after the restart')).body.run_id;
      await world.gateway.close();
      // What is checked at the end is checked below: the run waits.
      world.gateway[Symbol.asyncDispose] = async () => {};
    }
    const passed = { ms: 0 };
    const clock = { ...systemClock, now: () => systemClock.now() + passed.ms };
    await using gateway = await startCheckedGateway({ dataDir: kept, clock });
    expect((await gateway.run(token, { prompt: 'too early' })).body.error.code).toBe(
      'rate_limited',
    );
    expect((await gateway.as(token, `/runs/${runId}?wait=2`)).body).toMatchObject({
      ...{ status: 'queued', waits_until: expect.any(String) },
    });
    expect((await gateway.admin('/admin/limits')).body.items).toMatchObject([
      { window: 'five_hour', status: 'rejected' },
    ]);
    passed.ms = 121_000;
    expect((await gateway.ended(token, runId)).outcome).toBe('completed');
  });

  test('with another credential begins without the limit of the one before', async () => {
    let kept = '';
    {
      await using world = await createWorld({ keep: true });
      kept = world.gateway.dataDir;
      await world.ask('@@hit-limit 120');
    }
    const env = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };
    await using gateway = await startCheckedGateway({ dataDir: kept, env });
    const token = await gateway.mint('another');
    expect((await gateway.run(token, { prompt: 'hello' })).status).toBe(200);
  });
});

describe('what is no limit of the subscription parks nothing', () => {
  const later = Math.ceil(Date.now() / 1000) + 7200;
  const notices: [what: string, info: object][] = [
    ['a warning', { status: 'allowed_warning', rateLimitType: 'five_hour', resetsAt: later }],
    ['overage that is off', { status: 'allowed', overageStatus: 'rejected', resetsAt: later }],
    ['overage in use', { status: 'rejected', isUsingOverage: true, rateLimitType: 'five_hour' }],
    ['an unknown window', { status: 'rejected', rateLimitType: 'lunar_month', resetsAt: later }],
    ['a window of one model', { status: 'rejected', rateLimitType: 'seven_day_opus' }],
    ['an unknown status', { status: 'grumpy', rateLimitType: 'five_hour', resetsAt: later }],
    [
      'a window beside the one that counts',
      { status: 'allowed', unifiedWindows: { seven_day: { status: 'rejected', resetsAt: later } } },
    ],
  ];

  test('whatever the event says', async () => {
    await using world = await createWorld();
    for (const [what, info] of notices) {
      const { status } = await world.ask(`@@limit ${JSON.stringify(info)}\nhello`);
      const { parked, items } = await world.limits();
      expect({ what, status, parked }).toEqual({ what, status: 200, parked: null });
      expect(items.length).toBeGreaterThan(0);
    }
  });

  test('a 429 of the API is the failure of that run alone', async () => {
    await using world = await createWorld();
    expect(await world.ask('@@error 429')).toMatchObject(limited);
    expect((await world.ask('hello')).status).toBe(200);
  });
});

describe('a limit that is told in words alone', () => {
  const inAnHour = new Date(Date.now() + 3_600_000);
  const lisbon = inAnHour.toLocaleTimeString('en-US', {
    ...{ hour: 'numeric', minute: '2-digit', timeZone: 'Europe/Lisbon' },
  });

  test('parks until the time in them', async () => {
    await using world = await createWorld();
    const text = `You've hit your limit · resets ${lisbon} (Europe/Lisbon)`;
    const met = await world.ask(`@@limit-text ${text}`);
    expect(met).toMatchObject(limited);
    const minutes = Math.floor(inAnHour.getTime() / 60_000);
    expect(Date.parse(met.body.error.details.resets_at) / 60_000).toBe(minutes);
    expect(await world.ask('too early')).toMatchObject(limited);
    expect(world.spawned()).toBe(1);
    world.pass(3600);
    expect((await world.ask('hello')).status).toBe(200);
  });

  test('parks for a quarter of an hour without one', async () => {
    await using world = await createWorld();
    const texts = ['resets soon', 'resets 7pm', 'resets 25:00 (Mars/Base)'];
    for (const [index, text] of texts.entries()) {
      const met = await world.ask(`@@limit-text You've hit your limit · ${text}`);
      expect(met.body.error.retry_after_secs).toBe(900);
      expect(await world.ask('too early')).toMatchObject(limited);
      expect(world.spawned()).toBe(index + 1);
      world.pass(900);
    }
    expect((await world.ask('hello')).status).toBe(200);
  });
});

test('a reset in the past lets one run try at once, then backs off', async () => {
  await using world = await createWorld();
  const past = JSON.stringify({
    ...{ status: 'rejected', rateLimitType: 'five_hour' },
    resetsAt: Math.floor(Date.now() / 1000) - 3600,
  });
  const prompt = `@@limit ${past}\n@@error 429`;
  expect((await world.ask(prompt)).body.error.retry_after_secs).toBe(1);
  expect(await world.ask(prompt)).toMatchObject(limited);
  expect(world.spawned()).toBe(2);
  const refused = await world.ask('too early');
  expect(refused).toMatchObject(limited);
  expect(refused.body.error.retry_after_secs).toBeLessThanOrEqual(30);
  expect(world.spawned()).toBe(2);
  world.pass(30);
  expect((await world.ask('hello')).status).toBe(200);
});

test('an overloaded API is left alone for some seconds, while runs wait', async () => {
  const passed = { ms: 0 };
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passed.ms };
  await using world = await createWorld({ clock });
  expect(await world.ask('@@error 529')).toMatchObject({
    ...{ status: 503, body: { error: { code: 'overloaded' } } },
  });
  // Long enough for a slow machine to look at it; the first pause is of two seconds at least.
  for (const _ of [1, 2, 3]) {
    passed.ms += 60_000;
    await world.ask('@@error 529');
  }
  const waits = world.ask('hello');
  await expect.poll(world.waiting, patient).toBe(1);
  expect(world.spawned()).toBe(4);
  passed.ms += 60_000;
  expect((await waits).status).toBe(200);
  expect((await world.ask('again')).status).toBe(200);
});
