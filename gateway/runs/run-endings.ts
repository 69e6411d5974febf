// Who waits for a run to end, and is told.
import type { StoredAnswer } from './run-store.ts';

export type RunEnding =
  | { kind: 'answered'; answer: StoredAnswer }
  /** The gateway stops; the run waits for its next start. */
  | { kind: 'parked' }
  /** Its end could not be written down. */
  | { kind: 'failed'; err: unknown };

export type RunEndings = {
  /** Resolves when the run ends; null when the signal aborts before. */
  wait: (runId: string, signal?: AbortSignal) => Promise<RunEnding | null>;
  tell: (runId: string, ending: RunEnding) => void;
  waiting: () => number;
};

export function createRunEndings(): RunEndings {
  const waiting = new Map<string, Set<(ending: RunEnding | null) => void>>();
  return {
    async wait(runId, signal) {
      const { promise, resolve } = Promise.withResolvers<RunEnding | null>();
      const waiters = waiting.get(runId) ?? new Set();
      waiting.set(runId, waiters.add(resolve));
      const giveUp = (): void => resolve(null);
      signal?.addEventListener('abort', giveUp, { once: true });
      if (signal?.aborted === true) giveUp();
      const ending = await promise;
      signal?.removeEventListener('abort', giveUp);
      waiters.delete(resolve);
      if (waiters.size === 0 && waiting.get(runId) === waiters) waiting.delete(runId);
      return ending;
    },
    tell(runId, ending) {
      for (const resolve of waiting.get(runId) ?? []) resolve(ending);
    },
    waiting: () => waiting.size,
  };
}
