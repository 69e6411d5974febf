// AM-02: a used-up window costs one run, not one run after the other; what waits goes on when it opens again.
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { startCheckedGateway } from '../support/leak-check.ts';
import { createLimitWorld, limited } from '../support/limit-world.ts';
import { startPreparedGateway } from '../support/prepared-gateway.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const patient = { timeout: 20_000 };

describe('a window that is used up for two minutes', () => {
  test('refuses the run that met it with its reset, and starts nothing until then', async () => {
    await using world = await createLimitWorld();
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
    await using world = await createLimitWorld({ env: { GATEWAY_CONCURRENCY: '3' } });
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
    await using world = await createLimitWorld();
    await world.ask('@@hit-limit 120');
    world.pass(121);
    expect(await world.ask('@@hit-limit 7200')).toMatchObject(limited);
    const refused = await world.ask('too early');
    expect(refused.body.error.retry_after_secs).toBeGreaterThan(6000);
    expect(world.spawned()).toBe(2);
  });

  test('starts no process ahead either, while it is used up', async () => {
    await using gateway = await startPreparedGateway();
    const token = await gateway.mint('app');
    await gateway.untilPrepared(1);
    expect(await gateway.run(token, { prompt: '@@hit-limit 120' })).toMatchObject(limited);
    // A replacement takes less than a second, as the other tests of prepared runs see.
    await sleep(3000);
    const directories = await gateway.runDirectories();
    expect(directories.filter((name) => name.startsWith('prepared_'))).toEqual([]);
  });

  test('is told by /readyz, /me, /admin/limits, /metrics and the log, and is no failure', async () => {
    await using world = await createLimitWorld();
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
    await using world = await createLimitWorld({ env: { GATEWAY_CONCURRENCY: '1' } });
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
    await using world = await createLimitWorld();
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
    await using world = await createLimitWorld();
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
    await using world = await createLimitWorld();
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
      await using world = await createLimitWorld({ keep: true });
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
      await using world = await createLimitWorld({ keep: true });
      kept = world.gateway.dataDir;
      await world.ask('@@hit-limit 120');
    }
    const env = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };
    await using gateway = await startCheckedGateway({ dataDir: kept, env });
    const token = await gateway.mint('another');
    expect((await gateway.run(token, { prompt: 'hello' })).status).toBe(200);
  });
});
