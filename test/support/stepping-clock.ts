// The clock of the system, whose wall time a test sets forward or back as an operator does; durations go on as they were.
import { systemClock } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';

export type SteppingClock = Clock & { step: (ms: number) => void };

export function createSteppingClock(): SteppingClock {
  let steppedMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + steppedMs,
    step: (ms) => void (steppedMs += ms),
  };
}
