// Writes of one turn of the event loop share one commit, and the commits made while the disk is busy share the next wait for it, which
// is off the loop. So is the wait for a foreign lock: busy_timeout is 0 and we retry by the clock.
import { setImmediate as endOfTurn } from 'node:timers/promises';

import type { Clock } from './clock.ts';
import { createBatchTransaction, DatabaseFullError } from './database-batch.ts';
import type { BatchedWork } from './database-batch.ts';
import type { Database } from './database.ts';
import { createWalSync } from './wal-sync.ts';
import type { WalSync } from './wal-sync.ts';

export { DatabaseFullError } from './database-batch.ts';

export type DatabaseWriter = {
  /**
   * Runs `work`, which must be synchronous, in a transaction of its own as far as it can tell: what it did is kept or undone whole,
   * whatever becomes of the others in the same commit. Resolves when it is on disk. In the order of asking. It may run twice.
   */
  write<T>(work: () => T): Promise<T>;
  /** Resolves when no write is waiting. */
  idle(): Promise<void>;
  /** When it is idle; then the database may be closed. */
  close(): Promise<void>;
};

export type DatabaseWriterOptions = {
  giveUpAfterMs?: number;
  /** Makes room on a full disk and says whether it did; the write is then tried once more. */
  onFull?: () => boolean;
  /** The disk could not be synced: what is on it is unknown, so the process should end. By default it does, by the error. */
  onLost?: (err: unknown) => void;
  wal?: WalSync;
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
  const wal = options.wal ?? createWalSync(db);
  const settler = createSettler(wal, options.onLost ?? throwLater);
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
    const settlements = commitBatch(batch);
    if (settlements === 'busy') {
      giveUpLate();
      return 'busy';
    }
    waiting.splice(0, batch.length);
    settler.add(settlements);
    return 'done';
  }

  function commitBatch(batch: readonly Waiting[]): (() => void)[] | 'busy' {
    try {
      return commit(batch);
    } catch (err) {
      if (!(err instanceof DatabaseFullError)) throw err;
    }
    // With room made, or each alone: a large one that does not fit must not take the small ones along.
    options.onFull?.();
    return batch.flatMap(commitAlone);
  }

  function commitAlone(each: Waiting): (() => void)[] {
    try {
      const settlements = commit([each]);
      if (settlements !== 'busy') return settlements;
      return [() => each.reject(new DatabaseBusyError(`${db.name} is locked`))];
    } catch (err) {
      return [() => each.reject(err)];
    }
  }

  function giveUpLate(): void {
    const now = clock.monotonicMs();
    while (waiting[0] !== undefined && now - waiting[0].since >= giveUpAfterMs) {
      waiting.shift()?.giveUp();
    }
  }

  const idle = async (): Promise<void> => {
    await pump;
    await settler.idle();
  };
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
    idle,
    async close() {
      await idle();
      wal.close();
    },
  };
}

type Settler = { add: (settlements: readonly (() => void)[]) => void; idle: () => Promise<void> };

/** Tells whoever waits for a commit once it is on disk, in order; those that come during a sync share the next one. */
function createSettler(wal: WalSync, onLost: (err: unknown) => void): Settler {
  let unsynced: (() => void)[] = [];
  let pump: Promise<void> | null = null;
  const settleAll = async (): Promise<void> => {
    while (unsynced.length > 0) {
      const settlements = unsynced;
      unsynced = [];
      // On failure they are told nothing: neither would be true.
      await wal.sync();
      for (const settle of settlements) settle();
    }
    pump = null;
  };
  return {
    add(settlements) {
      unsynced.push(...settlements);
      pump ??= settleAll().catch(onLost);
    },
    idle: async () => {
      await pump;
    },
  };
}

function throwLater(err: unknown): void {
  setImmediate(() => {
    throw err;
  });
}
