// The write-ahead log beside gateway.db. It grows for as long as somebody reads an old state of the database, and what was
// deleted from the database stays in it until it is emptied.
import { statSync } from 'node:fs';

import type { Clock } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';
import type { Log } from '#shared/log.ts';

export type WalWatch = {
  /** Warns when it has grown large, and empties it when it should be empty and nobody reads from it. */
  look: () => void;
  /** Its size at the last look when it was large, until it is small again; else null. */
  largeBytes: () => number | null;
};

export type WalWatchParts = {
  db: Database;
  /** Deleted prompts are not to stay in it. */
  forgets: boolean;
  clock: Clock;
  log: Log;
};

export const walBytesLarge = 64 * 2 ** 20;
const walBytesSmall = 16 * 2 ** 20;
const forgetsEveryMs = 60_000;
const afterFailureMs = 60_000;

export function createWalWatch({ db, forgets, clock, log }: WalWatchParts): WalWatch {
  const path = `${db.name}-wal`;
  let largeBytes: number | null = null;
  let lastEmptyMs = clock.monotonicMs();
  let failedAtMs = Number.NEGATIVE_INFINITY;

  const sizeNow = (): number => {
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes === 0) lastEmptyMs = clock.monotonicMs();
    return bytes;
  };
  const shouldBeEmpty = (): boolean => {
    const now = clock.monotonicMs();
    if (now - failedAtMs < afterFailureMs) return false;
    return largeBytes !== null || (forgets && now - lastEmptyMs >= forgetsEveryMs);
  };
  const empty = (): void => {
    try {
      // Does what it can, and not the last step while somebody reads: the next look tries again.
      db.pragma('wal_checkpoint(TRUNCATE)');
    } catch (err) {
      failedAtMs = clock.monotonicMs();
      log.error({ err }, 'the write-ahead log could not be emptied');
    }
  };
  return {
    look() {
      const before = sizeNow();
      if (before > walBytesLarge && largeBytes === null) {
        largeBytes = before;
        const facts = { wal_bytes: before, limit_bytes: walBytesLarge };
        log.warn(facts, 'the write-ahead log is large: something has been reading for long');
      }
      if (shouldBeEmpty()) empty();
      const after = sizeNow();
      if (largeBytes !== null) largeBytes = after > walBytesSmall ? after : null;
    },
    largeBytes: () => largeBytes,
  };
}
