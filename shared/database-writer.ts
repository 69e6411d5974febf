// Writes wait for a foreign lock off the event loop: busy_timeout is 0 and we retry by the clock.
import type { Database } from 'better-sqlite3';

import type { Clock } from './clock.ts';
import { AppError } from './errors.ts';

export type DatabaseWriter = {
  /**
   * Runs `work`, which must be synchronous, in one transaction: at once when nothing is waiting
   * and the file is free, else in the order of asking. It may run twice when the disk was full.
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

/** There is no room on the disk of the database. */
export class DatabaseFullError extends AppError {
  override readonly name = 'DatabaseFullError';

  constructor(cause: unknown) {
    const kind = { code: 'disk_full', statusCode: 507, retryable: true };
    super(kind, 'the disk is full: nothing could be stored', { cause });
  }
}

type Waiting = { since: number; attempt: () => 'done' | 'busy'; giveUp: () => void };

const retryMs = 20;

export function createDatabaseWriter(
  db: Database,
  clock: Clock,
  options: DatabaseWriterOptions = {},
): DatabaseWriter {
  const giveUpAfterMs = options.giveUpAfterMs ?? 10_000;
  const transaction = createTransaction(db, options.onFull ?? (() => false));
  const waiting: Waiting[] = [];
  let pump: Promise<void> | null = null;

  async function drain(): Promise<void> {
    for (let head = waiting[0]; head !== undefined; head = waiting[0]) {
      await clock.sleep(retryMs);
      settle(head);
    }
    pump = null;
  }

  function settle(first: Waiting): void {
    let head: Waiting | undefined = first;
    while (head !== undefined && (head.attempt() === 'done' || hasWaitedEnough(head))) {
      waiting.shift();
      head = waiting[0];
    }
  }

  function hasWaitedEnough(head: Waiting): boolean {
    const enough = clock.monotonicMs() - head.since >= giveUpAfterMs;
    if (enough) {
      head.giveUp();
    }
    return enough;
  }

  function write<T>(work: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const attempt = (): 'done' | 'busy' => {
      try {
        const outcome = transaction(work);
        if (outcome === 'busy') {
          return 'busy';
        }
        resolve(outcome.value);
      } catch (err) {
        reject(err);
      }
      return 'done';
    };
    const giveUp = (): void => {
      reject(new DatabaseBusyError(`${db.name} has been locked for over ${giveUpAfterMs} ms`));
    };
    if (waiting.length > 0 || attempt() === 'busy') {
      waiting.push({ since: clock.monotonicMs(), attempt, giveUp });
      pump ??= drain();
    }
    return promise;
  }

  return {
    write,
    idle: async () => {
      await pump;
    },
  };
}

type Outcome<T> = { value: T } | 'busy';

function createTransaction(db: Database, onFull: () => boolean): <T>(work: () => T) => Outcome<T> {
  const begin = db.prepare('begin immediate');
  const commit = db.prepare('commit');
  const rollback = db.prepare('rollback');

  function once<T>(work: () => T): Outcome<T> {
    try {
      begin.run();
    } catch (err) {
      if (hasCode(err, 'SQLITE_BUSY')) {
        return 'busy';
      }
      throw err;
    }
    try {
      const value = work();
      if (value instanceof Promise) {
        throw new TypeError('a transaction is synchronous');
      }
      commit.run();
      return { value };
    } finally {
      if (db.inTransaction) {
        rollback.run();
      }
    }
  }

  return (work) => {
    try {
      return once(work);
    } catch (err) {
      if (!isFull(err)) {
        throw err;
      }
      if (!onFull()) {
        throw new DatabaseFullError(err);
      }
    }
    try {
      return once(work);
    } catch (err) {
      throw isFull(err) ? new DatabaseFullError(err) : err;
    }
  };
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
