// How long to wait after a failure before the next try: twice as long each time, so that a broken CLI does not spin.
import type { Clock } from '#shared/clock.ts';

export type Patience = {
  isOver: () => boolean;
  /** In a row. */
  failures: () => number;
  /** Gives the pause until the next try. */
  failed: () => number;
  succeeded: () => void;
};

const firstPauseMs = 1000;
const pauseMaxMs = 5 * 60_000;

export function createPatience(clock: Pick<Clock, 'monotonicMs'>): Patience {
  let failures = 0;
  let notBefore = Number.NEGATIVE_INFINITY;
  return {
    isOver: () => clock.monotonicMs() >= notBefore,
    failures: () => failures,
    failed() {
      const pauseMs = Math.min(pauseMaxMs, firstPauseMs * 2 ** failures);
      failures += 1;
      notBefore = clock.monotonicMs() + pauseMs;
      return pauseMs;
    },
    succeeded() {
      failures = 0;
      notBefore = Number.NEGATIVE_INFINITY;
    },
  };
}
