// After a run that failed for its credential the next ones are refused at once, instead of each waiting for the same failure.
//   closed ──auth failure──▶ open ──cool-down over──▶ half-open: one run tries ──success──▶ closed
//                             ▲                                    └──────auth failure──────┘ (back to open)
import type { Clock } from '#shared/clock.ts';

import type { Outcome } from './outcome.ts';

export const breakerStates = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof breakerStates)[number];

export type SignInBreaker = {
  /** Whether a run would only fail. Asking changes nothing. */
  isOpen: () => boolean;
  /** Whether the run may start now. A true may make it the one trial run. */
  admit: () => boolean;
  /** A model answered, so the credential is good: the others need not wait for that run to end. */
  sawAnswer: () => void;
  /** Every admitted run reports how it ended; null when it could not even be written down. */
  report: (outcome: Outcome | null) => void;
  state: () => BreakerState;
  /** What runs have shown: null until one has. */
  signedIn: () => boolean | null;
};

export function createSignInBreaker(clock: Clock, coolDownMs: number): SignInBreaker {
  let state: 'closed' | 'open' | 'trying' = 'closed';
  let openUntil = 0;
  let proved: boolean | null = null;

  const isOpen = (): boolean =>
    state === 'trying' || (state === 'open' && clock.monotonicMs() < openUntil);

  return {
    isOpen,
    admit() {
      if (isOpen()) return false;
      if (state === 'open') state = 'trying';
      return true;
    },
    sawAnswer() {
      proved = true;
      state = 'closed';
    },
    report(outcome) {
      if (outcome === 'auth') {
        proved = false;
        state = 'open';
        openUntil = clock.monotonicMs() + coolDownMs;
      } else if (state === 'trying') {
        // It says nothing about the credential: the next one may try at once.
        state = 'open';
        openUntil = clock.monotonicMs();
      }
    },
    state() {
      if (state === 'closed') return 'closed';
      return state === 'open' && isOpen() ? 'open' : 'half_open';
    },
    signedIn: () => proved,
  };
}
