// After its result a process has a moment to exit by itself; one that stays is ended.
import type { Clock } from '#shared/clock.ts';

export type Linger = {
  /** Begins, or begins anew. */
  begin: () => void;
  /** The process has found something else to do. */
  cancel: () => void;
};

const lingerMs = 2000;

export function createLinger(clock: Clock, over: AbortSignal, onStay: () => void): Linger {
  let current: AbortController | null = null;
  const cancel = (): void => current?.abort();

  return {
    cancel,
    begin() {
      cancel();
      current = new AbortController();
      const signal = AbortSignal.any([current.signal, over]);
      clock.sleep(lingerMs, signal).then(onStay, () => {});
    },
  };
}
