import { expect, test } from 'vitest';

import { createOverloadPause } from '../../gateway/limits/overload-pause.ts';

function createWorld(random = 1) {
  const time = { ms: 0 };
  const pause = createOverloadPause({ monotonicMs: () => time.ms }, () => random);
  return { time, pause };
}

test('each overload makes a pause twice as long, from four seconds to a minute', () => {
  const { time, pause } = createWorld();
  const pauses = [1, 2, 3, 4, 5, 6, 7].map(() => {
    pause.begin().overloaded();
    const leftMs = pause.leftMs();
    time.ms += leftMs;
    return leftMs / 1000;
  });
  expect(pauses).toEqual([4, 8, 16, 32, 60, 60, 60]);
  expect(pause.leftMs()).toBe(0);
});

test('a pause is shortened at random, by half at most', () => {
  const { pause } = createWorld(0);
  pause.begin().overloaded();
  expect(pause.leftMs()).toBe(2000);
});

test('of runs that started together only the first that fails makes a pause', () => {
  const { time, pause } = createWorld();
  const runs = [1, 2, 3].map(() => pause.begin());
  for (const run of runs) run.overloaded();
  expect(pause.leftMs()).toBe(4000);
  time.ms = 4000;
  pause.begin().overloaded();
  expect(pause.leftMs()).toBe(8000);
});

test('an answer ends the pause, and the next one begins small again', () => {
  const { time, pause } = createWorld();
  const early = pause.begin();
  pause.begin().overloaded();
  time.ms = 4000;
  pause.begin().overloaded();
  early.answered();
  expect(pause.leftMs()).toBe(0);
  pause.begin().overloaded();
  expect(pause.leftMs()).toBe(4000);
});
