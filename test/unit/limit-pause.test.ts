import { expect, test } from 'vitest';

import { pauseEnd, secsUntil } from '../../gateway/limits/limit-pause.ts';

const now = Date.parse('2026-11-27T10:00:00Z');
const minute = 60_000;
const day = 24 * 60 * minute;

function pause(resetsAt: number | null, failedProbes = 0): number {
  return pauseEnd({ resetsAt, now, failedProbes }) - now;
}

test('the queue waits for the reset that was told, and no longer', () => {
  expect(pause(now + 2 * minute)).toBe(2 * minute);
  expect(pause(now + 7 * day)).toBe(7 * day);
});

test('without a reset it waits for a quarter of an hour', () => {
  expect(pause(null)).toBe(15 * minute);
  expect(pause(null, 9)).toBe(15 * minute);
});

test('a reset further away than any window is not believed', () => {
  expect(pause(now + 9 * day)).toBe(15 * minute);
  expect(pause(8.64e15)).toBe(15 * minute);
});

test('after a reset in the past one run tries at once, and the next ones ever later', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 6, 7].map((failed) => pause(now - minute, failed) / 1000);
  expect(pauses).toEqual([0, 30, 60, 120, 240, 480, 900, 900]);
});

test('a reset that is always about to come makes no loop', () => {
  expect(pause(now + 1000, 3)).toBe(2 * minute);
  expect(pause(now + 60 * minute, 3)).toBe(60 * minute);
});

test('a wait is told in whole seconds, rounded up, at least one', () => {
  expect([secsUntil(now + 1001, now), secsUntil(now, now), secsUntil(now - 5, now)]).toEqual([
    ...[2, 1, 1],
  ]);
});
