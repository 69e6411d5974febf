// Everything that is written goes through one line: one transaction at a time, so that numbers are given in the order of the commits.
// What waits while a commit is under way shares the next one. Should one of them have to be undone, they all run once more, each in a
// savepoint of its own.
import { sql } from 'kysely';

import type { Clock } from '#shared/clock.ts';
import { AppError } from '#shared/errors.ts';

import { databaseUnavailable } from '../vault-errors.ts';
import type { Db } from './tables.ts';
import type { DatabaseParts } from './vault-database.ts';
import { watchWrites } from './write-watch.ts';
import type { WriteWatch } from './write-watch.ts';

export type WriteScope = {
  /** The transaction. Never the same one after something in it was undone. */
  db: Db;
  /** Says that the feed of an agent has grown, or that of nobody in particular. */
  grew: (agentId: string | null) => void;
};

export type WriteLine = {
  /**
   * Runs `work` in a transaction of its own as far as it can tell: what it did is kept or undone whole. Resolves when it is on disk.
   * In the order of asking. It may run twice: it must do nothing but read and write in its scope. Rejects with `unavailable` also when
   * it cannot be told whether it was kept.
   */
  write: <T>(work: (scope: WriteScope) => Promise<T>) => Promise<T>;
  /** Resolves when no write is waiting. */
  idle: () => Promise<void>;
};

export type WriteLineParts = Pick<
  DatabaseParts,
  'writes' | 'begin' | 'sync' | 'makeRoom' | 'explain' | 'isFull'
> & {
  onCommitted: (agentIds: ReadonlySet<string | null>) => void;
  clock: Clock;
};

/** Another process is writing. */
export class DatabaseLockedError extends Error {
  override readonly name = 'DatabaseLockedError';

  constructor(cause: unknown) {
    super('the database is locked by another process', { cause });
  }
}

type Waiting = {
  since: number;
  work: (scope: WriteScope) => Promise<unknown>;
  resolve: (value: unknown) => void;
  reject: (err: unknown) => void;
};

/** Of what is in one transaction: nothing is beside it; all are undone together; each can be undone. */
type Care = 'alone' | 'together' | 'savepoints';

/** One of several has to be undone. */
class NotTogetherError extends Error {
  override readonly name = 'NotTogetherError';

  constructor(cause: unknown) {
    super('some of it has to be undone', { cause });
  }
}

const batchMax = 64;
const lockRetryMs = 20;
/** Whoever has waited so long, for others or for a lock, is told so instead of waiting as long again for the database. */
const patienceMs = 10_000;

export function createWriteLine(parts: WriteLineParts): WriteLine {
  const { writes, clock, explain } = parts;
  const waiting: Waiting[] = [];
  let pump: Promise<void> | null = null;

  const begin = async (connection: Db, since: number): Promise<void> => {
    for (;;) {
      try {
        await parts.begin(connection);
        return;
      } catch (err) {
        const isPatient = clock.monotonicMs() - since < patienceMs;
        if (!(err instanceof DatabaseLockedError) || !isPatient) throw err;
        await clock.sleep(lockRetryMs);
      }
    }
  };
  /** Gives how to settle it, once all is committed. */
  const runOne = async (
    { db, hasWritten, forget }: WriteWatch,
    { work, resolve, reject }: Waiting,
    grown: Set<string | null>,
    care: Care,
  ): Promise<() => void> => {
    const grew = new Set<string | null>();
    const scope = { db, grew: (agentId: string | null): void => void grew.add(agentId) };
    if (care === 'savepoints') await sql`savepoint work`.execute(db);
    forget();
    try {
      await work(scope);
    } catch (err) {
      if (care === 'alone' || isOfDatabase(err)) throw err;
      // A refusal before anything was written: there is nothing to undo.
      if (err instanceof AppError && !hasWritten()) return () => reject(err);
      if (care === 'together') throw new NotTogetherError(err);
      await undo(db, err);
      return () => reject(err);
    }
    if (care === 'savepoints') await sql`release savepoint work`.execute(db);
    for (const agentId of grew) grown.add(agentId);
    return () => resolve(undefined);
  };
  /** It is full, away or locked: that concerns all of them. */
  const isOfDatabase = (err: unknown): boolean => parts.isFull(err) || explain(err) !== err;
  /** Gives how to settle each, once all is committed. */
  const commit = (batch: readonly Waiting[], care: Care): Promise<(() => void)[]> =>
    writes.connection().execute(async (connection) => {
      const grown = new Set<string | null>();
      try {
        await begin(connection, batch[0]?.since ?? 0);
        const settlements: (() => void)[] = [];
        let watched = watchWrites(connection);
        for (const each of batch) {
          if (care === 'savepoints') watched = watchWrites(connection);
          settlements.push(await runOne(watched, each, grown, care));
        }
        await commitTransaction(connection);
        await parts.sync();
        return [() => parts.onCommitted(grown), ...settlements];
      } catch (err) {
        await sql`rollback`.execute(connection).catch(() => {});
        // Perhaps only the answer to the commit was lost: whoever watches has to look.
        if (grown.size > 0) parts.onCommitted(grown);
        throw err;
      }
    });
  const commitTogether = async (batch: readonly Waiting[]): Promise<(() => void)[]> => {
    try {
      return await commit(batch, batch.length === 1 ? 'alone' : 'together');
    } catch (err) {
      if (!(err instanceof NotTogetherError)) throw err;
      return await commit(batch, 'savepoints');
    }
  };
  const commitAlone = async (each: Waiting): Promise<void> => {
    try {
      settleAll(await commit([each], 'alone'));
    } catch (err) {
      each.reject(explain(err));
    }
  };
  const commitSome = async (): Promise<void> => {
    const batch = waiting.splice(0, batchMax);
    try {
      settleAll(await commitTogether(batch));
    } catch (err) {
      if (!parts.isFull(err)) {
        for (const each of batch) each.reject(explain(err));
        return;
      }
      // With room made, and each alone: a large one that does not fit must not take the small ones along.
      parts.makeRoom();
      for (const each of batch) await commitAlone(each);
    }
  };
  const giveUpLate = (): void => {
    const oldest = clock.monotonicMs() - patienceMs;
    const late = waiting.findIndex(({ since }) => since > oldest);
    for (const { reject } of waiting.splice(0, late === -1 ? waiting.length : late)) {
      reject(databaseUnavailable(new Error('the line of writes was too long')));
    }
  };
  const drain = async (): Promise<void> => {
    // What is asked for in one turn of the event loop goes together.
    await Promise.resolve();
    while (waiting.length > 0) {
      await commitSome();
      giveUpLate();
    }
    pump = null;
  };
  return {
    write<T>(work: (scope: WriteScope) => Promise<T>): Promise<T> {
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      let value: T;
      waiting.push({
        since: clock.monotonicMs(),
        work: async (scope) => (value = await work(scope)),
        resolve: () => resolve(value),
        reject,
      });
      pump ??= drain();
      return promise;
    },
    idle: async () => {
      await pump;
    },
  };
}

async function commitTransaction(db: Db): Promise<void> {
  const { rows } = await sql<{ command?: string }>`commit`.execute(db);
  // PostgreSQL answers so when an earlier statement has failed.
  if (rows[0]?.command === 'ROLLBACK') throw new Error('the transaction was rolled back');
}

/** What was done since the savepoint. Throws `err` when that is not possible: the connection is lost, or the database has undone everything. */
async function undo(db: Db, err: unknown): Promise<void> {
  try {
    await sql`rollback to savepoint work`.execute(db);
    await sql`release savepoint work`.execute(db);
  } catch {
    throw err;
  }
}

function settleAll(settlements: readonly (() => void)[]): void {
  for (const settle of settlements) settle();
}
