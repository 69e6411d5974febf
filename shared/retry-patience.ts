// How long to wait before the next attempt, and when to give up.
import type { Clock } from './clock.ts';

export type PatienceLimits = {
  /** Failures in a row after which the last one is thrown. */
  attempts: number;
  /** From the first of them on. */
  totalSecs: number;
  firstDelaySecs: number;
  maxDelaySecs: number;
};

export const usualPatience: PatienceLimits = {
  attempts: 20,
  totalSecs: 120,
  firstDelaySecs: 0.25,
  maxDelaySecs: 10,
};

export type Patience = {
  /** Waits before the next attempt; throws the failure when there is to be none. */
  afterFailure: (failure: Failure, signal?: AbortSignal) => Promise<void>;
  /** Something worked: failures are counted anew. */
  reset: () => void;
};

type Failure = Error & { retryAfterSecs?: number | undefined };

export type PatienceParts = {
  limits: PatienceLimits;
  clock: Clock;
  /** From 0 to below 1. */
  random: () => number;
};

export function createPatience({ limits, clock, random }: PatienceParts): Patience {
  let failures = 0;
  let since = 0;
  return {
    async afterFailure(failure, signal) {
      const now = clock.monotonicMs();
      if (failures === 0) since = now;
      failures += 1;
      const waitMs = delayMs(limits, failures, failure.retryAfterSecs, random());
      const isOver = now + waitMs - since > limits.totalSecs * 1000;
      if (failures >= limits.attempts || isOver) throw failure;
      await clock.sleep(waitMs, signal).catch(() => {});
      signal?.throwIfAborted();
    },
    reset: () => void (failures = 0),
  };
}

/** Doubles each time; never before the other side has asked for. `random` spreads those who were turned away together. */
export function delayMs(
  { firstDelaySecs, maxDelaySecs }: PatienceLimits,
  failures: number,
  retryAfterSecs: number | undefined,
  random: number,
): number {
  const grown = Math.min(maxDelaySecs, firstDelaySecs * 2 ** (failures - 1));
  const askedFor = retryAfterSecs === undefined ? 0 : retryAfterSecs * (1 + random / 4);
  return Math.max(grown * (0.5 + random / 2), askedFor) * 1000;
}

/** Until one attempt works, a failure is not worth another attempt, or patience is at its end. */
export async function repeat<T>(
  attempt: () => Promise<T>,
  how: {
    patience: Patience;
    isWorthIt: (err: unknown) => err is Failure;
    signal?: AbortSignal | undefined;
  },
): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (err) {
      how.signal?.throwIfAborted();
      if (!how.isWorthIt(err)) throw err;
      await how.patience.afterFailure(err, how.signal);
    }
  }
}
