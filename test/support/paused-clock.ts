// A clock whose pauses between attempts last until a test ends them; limits of half a minute and more are real.
import { systemClock } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';

export type PausedClock = Clock & {
  /** The pauses so far, in milliseconds. */
  pauses: () => number[];
  /** Ends the pause that is on, and every later one at once. */
  goOn: () => void;
};

const limitMs = 30_000;

export function createPausedClock(): PausedClock {
  const gate = Promise.withResolvers<void>();
  const pauses: number[] = [];
  return {
    ...systemClock,
    sleep: (ms, signal) => (ms < limitMs ? pause(ms, signal) : systemClock.sleep(ms, signal)),
    pauses: () => pauses,
    goOn: gate.resolve,
  };

  async function pause(ms: number, signal?: AbortSignal): Promise<void> {
    pauses.push(ms);
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => aborted.reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    try {
      await Promise.race([gate.promise, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}
