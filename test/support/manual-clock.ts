// A clock that stands still until a test moves it.
import { setImmediate as settled } from 'node:timers/promises';

import type { Clock } from '#shared/clock.ts';

export type ManualClock = Clock & {
  /** Moves on, waking every sleeper at its own time and letting it act before the next. */
  advance: (ms: number) => Promise<void>;
  sleepers: () => number;
};

export function createManualClock(startMs = 0): ManualClock {
  let time = startMs;
  const sleeping = new Set<{ at: number; wake: () => void }>();

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sleeper = { at: time + ms, wake: resolve };
    sleeping.add(sleeper);
    const abort = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    return promise.finally(() => {
      sleeping.delete(sleeper);
      signal?.removeEventListener('abort', abort);
    });
  };
  return {
    now: () => time,
    monotonicMs: () => time,
    sleep,
    async advance(ms) {
      const end = time + ms;
      for (;;) {
        await settled();
        const [next] = [...sleeping].toSorted((one, other) => one.at - other.at);
        if (next === undefined || next.at > end) break;
        time = Math.max(time, next.at);
        sleeping.delete(next);
        next.wake();
      }
      time = end;
      await settled();
    },
    sleepers: () => sleeping.size,
  };
}
