// Writes of one turn of the event loop share one commit, which is what a wait for the disk costs. They wait for a foreign lock off
// the loop: busy_timeout is 0 and we retry by the clock.
import { setImmediate as endOfTurn } from 'node:timers/promises';

import type { Clock } from './clock.ts';
import { createBatchTransaction, DatabaseFullError } from './database-batch.ts';
import type { BatchedWork } from './database-batch.ts';
import type { Database } from './database.ts';

export { DatabaseFullError } from './database-batch.ts';

export type DatabaseWriter = {
  /**
   * Runs `work`, which must be synchronous, in a transaction of its own as far as it can tell: what it did is kept or undone whole,
   * whatever becomes of the others in the same commit. Resolves when it is on disk. In the order of asking. It may run twice.
   */
  write<T>(work: () => T): Promise<T>;
  /** Resolves when no write is waiting. */
  idle(): Promise<void>;
};

export type DatabaseWriterOptions = {
  giveUpAfterMs?: number;
  /** Makes room on a full disk and says whether it did; the write is then tried once more. */
  onFull?: () => boolean;
};

/** Another process has held the file for too long. */
export class DatabaseBusyError extends Error {
  override readonly name = 'DatabaseBusyError';
}

type Waiting = BatchedWork & { since: number; giveUp: () => void };

const retryMs = 20;
/** More would keep the event loop for too long. */
const batchMax = 256;

export function createDatabaseWriter(
  db: Database,
  clock: Clock,
  options: DatabaseWriterOptions = {},
): DatabaseWriter {
  const giveUpAfterMs = options.giveUpAfterMs ?? 10_000;
  const commit = createBatchTransaction(db);
  const waiting: Waiting[] = [];
  let pump: Promise<void> | null = null;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      await endOfTurn();
      if (commitSome() === 'busy') await clock.sleep(retryMs);
    }
    pump = null;
  }

  function commitSome(): 'done' | 'busy' {
    const batch = waiting.slice(0, batchMax);
    const isDone = commitBatch(batch) === 'done';
    if (isDone) waiting.splice(0, batch.length);
    else giveUpLate();
    return isDone ? 'done' : 'busy';
  }

  function commitBatch(batch: readonly Waiting[]): 'done' | 'busy' {
    try {
      return commit(batch);
    } catch (err) {
      if (!(err instanceof DatabaseFullError)) throw err;
    }
    // With room made, or each alone: a large one that does not fit must not take the small ones along.
    options.onFull?.();
    for (const each of batch) commitAlone(each);
    return 'done';
  }

  function commitAlone(each: Waiting): void {
    try {
      if (commit([each]) === 'done') return;
      each.reject(new DatabaseBusyError(`${db.name} is locked`));
    } catch (err) {
      each.reject(err);
    }
  }

  function giveUpLate(): void {
    const now = clock.monotonicMs();
    while (waiting[0] !== undefined && now - waiting[0].since >= giveUpAfterMs) {
      waiting.shift()?.giveUp();
    }
  }

  return {
    write<T>(work: () => T): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      let value: T;
      waiting.push({
        since: clock.monotonicMs(),
        work: () => (value = work()),
        resolve: () => resolve(value),
        reject,
        giveUp: () =>
          reject(new DatabaseBusyError(`${db.name} has been locked for over ${giveUpAfterMs} ms`)),
      });
      pump ??= drain();
      return promise;
    },
    idle: async () => {
      await pump;
    },
  };
}
