// A sleep that somebody may end.
import type { Clock } from '#shared/clock.ts';

export type Nap = {
  /** Resolves when the time is over, it is woken, or the signal aborts. */
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  wake: () => void;
};

export function createNap(clock: Pick<Clock, 'sleep'>): Nap {
  let woken = new AbortController();
  return {
    async sleep(ms, signal) {
      woken = new AbortController();
      await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => {});
    },
    wake: () => woken.abort(),
  };
}
