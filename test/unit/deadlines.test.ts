import { expect, test } from 'vitest';

import { watchDeadlines } from '../../gateway/runs/deadlines.ts';
import type { ExpiredDeadline } from '../../gateway/runs/deadlines.ts';
import { createManualClock } from '../support/manual-clock.ts';

function watch(limits: { startMs?: number; idleMs?: number; totalMs?: number } = {}) {
  const clock = createManualClock();
  const expired: [ExpiredDeadline, number][] = [];
  const deadlines = watchDeadlines(
    { startMs: 100, idleMs: 200, totalMs: 1000, ...limits },
    clock,
    (deadline) => expired.push([deadline, clock.monotonicMs()]),
  );
  return { clock, deadlines, expired };
}

test('a run without a sign of life is over when its start is', async () => {
  const { clock, expired } = watch();
  await clock.advance(99);
  expect(expired).toEqual([]);
  await clock.advance(5000);
  expect(expired).toEqual([['timeout_start', 100]]);
});

test('a run that goes silent is over after the idle time, counted from its last sign of life', async () => {
  const { clock, deadlines, expired } = watch();
  for (const ms of [50, 150, 199]) {
    await clock.advance(ms);
    deadlines.sawProgress();
  }
  await clock.advance(5000);
  expect(expired).toEqual([['timeout_idle', 599]]);
});

test('a run that goes silent is over after an idle time shorter than that of its start', async () => {
  const { clock, deadlines, expired } = watch({ startMs: 900, idleMs: 50 });
  await clock.advance(120);
  deadlines.sawProgress();
  await clock.advance(5000);
  expect(expired).toEqual([['timeout_idle', 170]]);
});

test('a run without a sign of life may take the whole time of its start', async () => {
  const { clock, expired } = watch({ startMs: 120, idleMs: 50 });
  await clock.advance(5000);
  expect(expired).toEqual([['timeout_start', 120]]);
});

test('a run that never falls silent is over when its time is', async () => {
  const { clock, deadlines, expired } = watch();
  for (let count = 0; count < 40; count += 1) {
    deadlines.sawProgress();
    await clock.advance(50);
  }
  expect(expired).toEqual([['timeout_total', 1000]]);
});

test('the total time comes first when it is shorter than the others', async () => {
  const { clock, expired } = watch({ totalMs: 50 });
  await clock.advance(5000);
  expect(expired).toEqual([['timeout_total', 50]]);
});

test('nothing expires and nothing sleeps on once it was stopped', async () => {
  const { clock, deadlines, expired } = watch();
  await clock.advance(10);
  deadlines.stop();
  await clock.advance(5000);
  expect(expired).toEqual([]);
  expect(clock.sleepers()).toBe(0);
});

test('an idle time shorter than the start is kept after the first sign of life', async () => {
  const { clock, deadlines, expired } = watch({ startMs: 900, idleMs: 100 });
  await clock.advance(30);
  deadlines.sawProgress();
  await clock.advance(5000);
  expect(expired).toEqual([['timeout_idle', 130]]);
});
