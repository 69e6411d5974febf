// An overloaded API is left alone for a while that grows from a few seconds to a minute, so that a burst of runs does not hammer it.
import type { Clock } from '#shared/clock.ts';

const firstMs = 4000;
const longestMs = 60_000;

/** What one run finds out. */
export type OverloadPass = {
  overloaded: () => void;
  /** The API has answered: whoever waits need not. */
  answered: () => void;
};

export type OverloadPause = {
  /** Milliseconds until runs may start; 0 when they may. */
  leftMs: () => number;
  begin: () => OverloadPass;
};

/** @param random from 0 to 1: pauses of several gateways should not end together. */
export function createOverloadPause(
  clock: Pick<Clock, 'monotonicMs'>,
  random: () => number,
): OverloadPause {
  let pauses = 0;
  let until = 0;
  const leftMs = (): number => Math.max(0, until - clock.monotonicMs());
  return {
    leftMs,
    begin() {
      const pausesBefore = pauses;
      return {
        overloaded() {
          // Of runs that started together only the first counts.
          if (pauses !== pausesBefore) return;
          const wholeMs = Math.min(longestMs, firstMs * 2 ** pauses);
          pauses += 1;
          until = clock.monotonicMs() + wholeMs * (0.5 + random() / 2);
        },
        answered() {
          pauses = 0;
          until = 0;
        },
      };
    },
  };
}
