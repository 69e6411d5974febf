import { describe, expect, test } from 'vitest';

import { createPatience, delayMs, repeat, usualPatience } from '#shared/retry-patience.ts';
import type { PatienceLimits } from '#shared/retry-patience.ts';

import { createManualClock } from '../support/manual-clock.ts';

const limits: PatienceLimits = {
  ...{ attempts: 4, totalSecs: 100, firstDelaySecs: 1, maxDelaySecs: 8 },
};
const failure: Error & { retryAfterSecs?: number } = new Error('not now');

function patienceOf(changes: Partial<PatienceLimits> = {}) {
  const clock = createManualClock();
  const patience = createPatience({
    ...{ limits: { ...limits, ...changes }, clock, random: () => 0.5 },
  });
  return { clock, patience };
}

function isNever(_err: unknown): _err is Error {
  return false;
}

describe('the delay before the next attempt', () => {
  test('doubles up to its maximum', () => {
    const delays = [1, 2, 3, 4, 5, 6].map((failures) => delayMs(limits, failures, undefined, 1));
    expect(delays).toEqual([1000, 2000, 4000, 8000, 8000, 8000]);
  });

  test('is between half and all of that, by chance', () => {
    expect(delayMs(limits, 3, undefined, 0)).toBe(2000);
    expect(delayMs(limits, 3, undefined, 0.5)).toBe(3000);
  });

  test('is never shorter than the other side asks for, and spreads those it asked at once', () => {
    expect(delayMs(limits, 1, 20, 0)).toBe(20_000);
    expect(delayMs(limits, 1, 20, 0.99)).toBeGreaterThan(20_000);
    expect(delayMs(limits, 4, 1, 1)).toBe(8000);
  });
});

describe('patience', () => {
  test('waits after a failure, and throws the one that is the last', async () => {
    const { clock, patience } = patienceOf({ attempts: 2 });
    const waiting = patience.afterFailure(failure);
    expect(clock.sleepers()).toBe(1);
    await clock.advance(750);
    await waiting;
    await expect(patience.afterFailure(failure)).rejects.toBe(failure);
  });

  test('does not begin a wait that would end after its time', async () => {
    const { clock, patience } = patienceOf({ totalSecs: 10 });
    const busy = Object.assign(new Error('busy'), { retryAfterSecs: 11 });
    await expect(patience.afterFailure(busy)).rejects.toBe(busy);
    expect(clock.sleepers()).toBe(0);
  });

  test('counts its time from the first failure in a row', async () => {
    const { clock, patience } = patienceOf({ totalSecs: 10 });
    await clock.advance(1_000_000);
    const first = patience.afterFailure(failure);
    await clock.advance(9000);
    await first;
    await expect(patience.afterFailure(failure)).rejects.toBe(failure);
    patience.reset();
    const second = patience.afterFailure(failure);
    await clock.advance(750);
    await expect(second).resolves.toBeUndefined();
  });

  test('ends at once with the reason of its signal', async () => {
    const { clock, patience } = patienceOf();
    const leave = new AbortController();
    const waiting = patience.afterFailure(failure, leave.signal);
    leave.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(clock.sleepers()).toBe(0);
  });
});

test('what is not worth another attempt is thrown at once, whatever patience is left', async () => {
  const { patience } = patienceOf();
  let attempts = 0;
  const attempt = async (): Promise<never> => {
    attempts += 1;
    throw failure;
  };
  await expect(repeat(attempt, { patience, isWorthIt: isNever })).rejects.toBe(failure);
  expect(attempts).toBe(1);
});

test('the usual patience outlasts a restart and is over within minutes', () => {
  const steps = Array.from({ length: usualPatience.attempts - 1 }, (_each, index) => index + 1);
  const waits = steps.map((step) => delayMs(usualPatience, step, undefined, 0));
  const totalMs = waits.reduce((sum, each) => sum + each, 0);
  expect(totalMs).toBeGreaterThan(45_000);
  expect(usualPatience.totalSecs).toBeLessThanOrEqual(180);
});
