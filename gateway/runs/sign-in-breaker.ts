// After a run that failed for its credential the next ones are refused at once, instead of each waiting for the same failure.
//   closed ──auth failure──▶ open ──cool-down over──▶ half-open: one run tries ──success──▶ closed
//                             ▲                                    └──────auth failure──────┘ (back to open)
import type { Clock } from '#shared/clock.ts';

import type { Outcome } from './outcome.ts';

export type SignInBreaker = {
  /** True when the run may start; false when it would only fail. A true may be the one trial run. */
  admit: () => boolean;
  /** Every admitted run reports how it ended. */
  report: (outcome: Outcome) => void;
  /** What runs have shown: null until one has. */
  signedIn: () => boolean | null;
  retryAfterSecs: () => number;
};

export function createSignInBreaker(clock: Clock, coolDownMs: number): SignInBreaker {
  let state: 'closed' | 'open' | 'trying' = 'closed';
  let openUntil = 0;
  let proved: boolean | null = null;

  return {
    admit() {
      if (state === 'closed') return true;
      if (state === 'trying' || clock.monotonicMs() < openUntil) return false;
      state = 'trying';
      return true;
    },
    report(outcome) {
      if (outcome === 'auth') {
        proved = false;
        state = 'open';
        openUntil = clock.monotonicMs() + coolDownMs;
      } else if (outcome === 'completed') {
        proved = true;
        state = 'closed';
      } else if (state === 'trying') {
        // It says nothing about the credential: the next one may try at once.
        state = 'open';
        openUntil = clock.monotonicMs();
      }
    },
    signedIn: () => proved,
    retryAfterSecs: () => Math.max(1, Math.ceil((openUntil - clock.monotonicMs()) / 1000)),
  };
}
