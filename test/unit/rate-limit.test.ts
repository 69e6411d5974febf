import { expect, test } from 'vitest';

import { createRateLimit } from '../../vault/access/rate-limit.ts';
import type { Taken } from '../../vault/access/rate-limit.ts';
import { createManualClock } from '../support/manual-clock.ts';

const rate = { perMinute: 60, burst: 10 };

function createLimit() {
  const time = { ms: 0 };
  const clock = { now: () => 0, monotonicMs: () => time.ms, sleep: () => Promise.resolve() };
  return { limit: createRateLimit(clock), time };
}

function passed(answers: Taken[]): number {
  return answers.filter(({ ok }) => ok).length;
}

test('of many requests in one second 70 pass, and the wait that the 71st is told is enough', () => {
  const { limit, time } = createLimit();
  for (let n = 1; n <= 70; n += 1) {
    expect(limit.take('ada', rate)).toMatchObject({ ok: true, limit: 70, remaining: 70 - n });
    time.ms += 10;
  }
  expect(limit.take('ada', rate)).toEqual({ ok: false, retryAfterSecs: 60 });
  time.ms += 58_999;
  expect(limit.take('ada', rate)).toEqual({ ok: false, retryAfterSecs: 1 });
  time.ms += 301;
  expect(limit.take('ada', rate)).toMatchObject({ ok: true });
});

test('a wait of odd length is rounded up to whole seconds that are enough', () => {
  const { limit, time } = createLimit();
  time.ms = 0.1;
  for (let n = 1; n <= 70; n += 1) limit.take('ada', rate);
  for (const ms of [0.2, 12_345.678, 59_998.9]) {
    time.ms = ms;
    const refused = limit.take('ada', rate);
    const { retryAfterSecs } = refused as { ok: false; retryAfterSecs: number };
    expect(Number.isInteger(retryAfterSecs) && retryAfterSecs >= 1).toBe(true);
    expect(ms + retryAfterSecs * 1000).toBeGreaterThanOrEqual(60_000.1);
  }
  time.ms = 60_000.1;
  expect(passed(Array.from({ length: 71 }, () => limit.take('ada', rate)))).toBe(70);
});

test('no 60 seconds ever hold more than 70, whenever they begin', () => {
  const { limit, time } = createLimit();
  const passedAt: number[] = [];
  for (time.ms = 0; time.ms < 300_000; time.ms += 137) {
    if (limit.take('ada', rate).ok) passedAt.push(time.ms);
  }
  for (const from of passedAt) {
    const within = passedAt.filter((at) => at >= from && at < from + 60_000);
    expect(within.length).toBeLessThanOrEqual(70);
  }
  expect(passedAt.length).toBeGreaterThanOrEqual(5 * 70 - 1);
});

test('refused requests are not counted', () => {
  const { limit, time } = createLimit();
  for (let n = 0; n < 1000; n += 1) limit.take('ada', rate);
  time.ms = 59_999;
  for (let n = 0; n < 1000; n += 1) limit.take('ada', rate);
  time.ms = 60_000;
  expect(limit.take('ada', rate)).toEqual({ ok: true, limit: 70, remaining: 69, resetSecs: 60 });
});

test('one a second goes on for ever', () => {
  const { limit, time } = createLimit();
  for (let n = 0; n < 1000; n += 1) {
    expect(limit.take('ada', { perMinute: 60, burst: 0 }).ok).toBe(true);
    time.ms += 1000;
  }
});

test('the reset is when the oldest request leaves the window', () => {
  const { limit, time } = createLimit();
  expect(limit.take('ada', rate)).toMatchObject({ resetSecs: 60 });
  time.ms = 45_500;
  expect(limit.take('ada', rate)).toMatchObject({ resetSecs: 15, remaining: 68 });
  time.ms = 60_000;
  expect(limit.take('ada', rate)).toMatchObject({ resetSecs: 46, remaining: 68 });
});

test('principals do not share', () => {
  const { limit } = createLimit();
  expect(passed(Array.from({ length: 100 }, () => limit.take('ada', rate)))).toBe(70);
  expect(passed(Array.from({ length: 100 }, () => limit.take('bob', rate)))).toBe(70);
});

test('a limit lowered meanwhile holds at once, and tells a wait that is enough', () => {
  const { limit, time } = createLimit();
  for (time.ms = 0; time.ms < 50_000; time.ms += 1000) limit.take('key', rate);
  const low = { perMinute: 10, burst: 0 };
  expect(limit.take('key', low)).toEqual({ ok: false, retryAfterSecs: 50 });
  time.ms += 49_999;
  expect(limit.take('key', low).ok).toBe(false);
  time.ms += 1;
  expect(limit.take('key', low)).toMatchObject({ ok: true, remaining: 0 });
  expect(limit.take('key', rate)).toMatchObject({ ok: true, remaining: 59 });
});

test('a limit of nothing lets nothing pass', () => {
  const { limit } = createLimit();
  const nothing = { perMinute: 0, burst: 0 };
  expect(limit.take('key', nothing)).toEqual({ ok: false, retryAfterSecs: 60 });
});

test('the wall clock does not matter', () => {
  const wall = { ms: 1e12 };
  const clock = { ...createManualClock(), now: () => wall.ms };
  const limit = createRateLimit(clock);
  for (let n = 0; n < 70; n += 1) limit.take('ada', rate);
  wall.ms += 3_600_000;
  expect(limit.take('ada', rate)).toEqual({ ok: false, retryAfterSecs: 60 });
});

test('those silent for longest are forgotten first, a busy one is not', () => {
  const { limit } = createLimit();
  for (let n = 0; n < 70; n += 1) limit.take('busy', rate);
  const busyAnswers: Taken[] = [];
  for (let n = 0; n < 10_000; n += 1) {
    limit.take(`other-${n}`, rate);
    if (n % 100 === 0) busyAnswers.push(limit.take('busy', rate));
  }
  expect([busyAnswers.length, passed(busyAnswers)]).toEqual([100, 0]);
});
