// Several pieces of work in one transaction, each in a savepoint of its own: one that throws is undone alone.
import type { Database } from './database.ts';
import { AppError } from './errors.ts';

export type BatchedWork = {
  /** Synchronous. */
  work: () => unknown;
  /** To be called when the commit is on disk. */
  resolve: () => void;
  /** To be called when what the work did has been undone. */
  reject: (err: unknown) => void;
};

/** There is no room on the disk of the database. */
export class DatabaseFullError extends AppError {
  override readonly name = 'DatabaseFullError';

  constructor(cause: unknown) {
    const kind = { code: 'disk_full', statusCode: 507, retryable: true };
    super(kind, 'the disk is full: nothing could be stored', { cause });
  }
}

/**
 * Gives how to settle each of them, to be called once the commit is on disk; `busy` when another process holds the lock: nothing has
 * run then. Throws DatabaseFullError when nothing is stored.
 */
export function createBatchTransaction(
  db: Database,
): (batch: readonly BatchedWork[]) => (() => void)[] | 'busy' {
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const rollback = db.prepare('rollback');
  const savepoint = db.prepare('savepoint work');
  const undo = db.prepare('rollback to work');
  const release = db.prepare('release work');

  /** Gives how to settle the work once all is committed. */
  function runOne(each: BatchedWork): () => void {
    savepoint.run();
    try {
      if (each.work() instanceof Promise) throw new TypeError('a transaction is synchronous');
      release.run();
      return each.resolve;
    } catch (err) {
      // On some errors SQLite has rolled everything back itself.
      if (isFull(err) || !db.inTransaction) throw err;
      undo.run();
      release.run();
      return () => each.reject(err);
    }
  }

  function runAll(batch: readonly BatchedWork[]): (() => void)[] {
    try {
      const settlements = batch.map(runOne);
      commit.run();
      return settlements;
    } finally {
      if (db.inTransaction) rollback.run();
    }
  }

  return (batch) => {
    try {
      begin.run();
    } catch (err) {
      if (hasCode(err, 'SQLITE_BUSY')) return 'busy';
      return refusals(batch, err);
    }
    try {
      return runAll(batch);
    } catch (err) {
      return refusals(batch, err);
    }
  };
}

function refusals(batch: readonly BatchedWork[], err: unknown): (() => void)[] {
  if (isFull(err)) throw new DatabaseFullError(err);
  return batch.map((each) => () => each.reject(err));
}

// The second: the file of shared memory beside the database could not grow.
function isFull(err: unknown): boolean {
  return hasCode(err, 'SQLITE_FULL') || hasCode(err, 'SQLITE_IOERR_SHMSIZE');
}

function hasCode(err: unknown, code: string): boolean {
  return (
    err instanceof Error &&
    'code' in err &&
    typeof err.code === 'string' &&
    err.code.startsWith(code)
  );
}
