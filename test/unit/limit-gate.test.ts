import { describe, expect, test } from 'vitest';

import { createLimitGate } from '../../gateway/limits/limit-gate.ts';
import type { Parking } from '../../gateway/limits/limit-gate.ts';

const minute = 60_000;
const fiveHour = (resetsAt: number | null) => ({ window: 'five_hour', resetsAt });

function createWorld(parking: Parking | null = null) {
  const time = { now: 1_000_000 };
  const moves: (Parking | null)[] = [];
  const gate = createLimitGate({
    parking,
    clock: { now: () => time.now },
    onMove: (move) => void moves.push(move),
  });
  return { time, moves, gate };
}

test('runs start as they come until a window says no, then none until its reset', () => {
  const { gate, time, moves } = createWorld();
  const [first, second] = [gate.begin(), gate.begin()];
  expect([first.isAdmitted, second.isAdmitted, gate.mayStart()]).toEqual([true, true, true]);
  const until = time.now + 2 * minute;
  first.refused(fiveHour(until));
  expect(gate.closedBy()).toEqual({
    ...{ until, since: time.now, window: 'five_hour', failedProbes: 0 },
  });
  expect(moves).toEqual([gate.parking()]);
  time.now = until - 1;
  expect(gate.mayStart()).toBe(false);
  time.now = until;
  expect([gate.mayStart(), gate.closedBy()]).toEqual([true, null]);
  expect(gate.parking()).not.toBeNull();
});

test('after the reset one run tries, alone, and its answer lets everybody in', () => {
  const { gate, time, moves } = createWorld();
  gate.begin().refused(fiveHour(time.now + minute));
  time.now += minute;
  const probe = gate.begin();
  expect([probe.isAdmitted, probe.isProbe(), gate.mayStart()]).toEqual([true, true, false]);
  expect(gate.begin().isAdmitted).toBe(false);
  probe.passed();
  expect([gate.parking(), gate.mayStart(), moves.at(-1)]).toEqual([null, true, null]);
  probe.over();
  expect(gate.mayStart()).toBe(true);
});

test('a probe that is refused waits for the new reset, and longer each time it is none', () => {
  const { gate, time } = createWorld();
  gate.begin().refused(fiveHour(time.now - minute));
  const waits = [0, 1, 2, 3].map(() => {
    expect(gate.mayStart()).toBe(true);
    const probe = gate.begin();
    probe.refused(fiveHour(time.now - minute));
    probe.over();
    const waitMs = (gate.parking()?.until ?? 0) - time.now;
    time.now += waitMs;
    return waitMs / 1000;
  });
  expect(waits).toEqual([30, 60, 120, 240]);
  const probe = gate.begin();
  probe.refused(fiveHour(time.now + 60 * minute));
  expect(gate.parking()?.until).toBe(time.now + 60 * minute);
});

test('a probe that ends without a word leaves the try to the next one', () => {
  const { gate, time } = createWorld();
  gate.begin().refused(fiveHour(time.now));
  gate.begin().over();
  expect(gate.mayStart()).toBe(true);
  expect(gate.begin().isProbe()).toBe(true);
});

describe('a run that started before the queue was parked', () => {
  test('does not open it: its answer may be older', () => {
    const { gate, time } = createWorld();
    const early = gate.begin();
    gate.begin().refused(fiveHour(time.now + minute));
    early.passed();
    expect(gate.mayStart()).toBe(false);
    time.now += minute;
    gate.begin();
    early.passed();
    early.over();
    expect(gate.mayStart()).toBe(false);
  });

  test('may say that it takes longer, never shorter, and counts as no probe', () => {
    const { gate, time } = createWorld();
    const [one, two, three] = [gate.begin(), gate.begin(), gate.begin()];
    gate.begin().refused(fiveHour(time.now + 5 * minute));
    one.refused({ window: 'seven_day', resetsAt: time.now + 9 * minute });
    two.refused(fiveHour(time.now + minute));
    three.refused(fiveHour(null));
    expect(gate.parking()).toMatchObject({
      ...{ until: time.now + 9 * minute, window: 'seven_day', failedProbes: 0 },
    });
  });

  test('opens it when it was the one that parked it and is answered after all', () => {
    const { gate, time } = createWorld();
    const run = gate.begin();
    run.refused(fiveHour(time.now + minute));
    run.passed();
    expect(gate.mayStart()).toBe(true);
  });
});

test('a queue that was parked by an earlier start is parked still, and after its reset one run tries', () => {
  const kept = { until: 1_000_000 + minute, since: 0, window: 'seven_day', failedProbes: 2 };
  const { gate, time } = createWorld(kept);
  expect(gate.mayStart()).toBe(false);
  time.now += minute;
  const probe = gate.begin();
  expect(probe.isProbe()).toBe(true);
  probe.refused(fiveHour(null));
  expect(gate.parking()).toMatchObject({ since: 0, failedProbes: 3 });
});
