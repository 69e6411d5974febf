// AM-08, CL-03: limits in all their forms, and what is none.
import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { createLimitWorld, limited } from '../support/limit-world.ts';

const patient = { timeout: 20_000 };

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
    await using world = await createLimitWorld();
    for (const [what, info] of notices) {
      const { status } = await world.ask(`@@limit ${JSON.stringify(info)}\nhello`);
      const { parked, items } = await world.limits();
      expect({ what, status, parked }).toEqual({ what, status: 200, parked: null });
      expect(items.length).toBeGreaterThan(0);
    }
  });

  test('a 429 of the API is the failure of that run alone', async () => {
    await using world = await createLimitWorld();
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
    await using world = await createLimitWorld();
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
    await using world = await createLimitWorld();
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
  await using world = await createLimitWorld();
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
  await using world = await createLimitWorld({ clock });
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
