// Puts what has been committed on disk without keeping the event loop: SQLite itself would wait for the disk inside the commit. With
// `synchronous = NORMAL` it writes a commit to the end of the write-ahead log and leaves the sync to whoever needs it
// (https://www.sqlite.org/pragma.html#pragma_synchronous); after a power cut all is there that was synced, in order.
import { closeSync, fdatasync, openSync } from 'node:fs';
import { promisify } from 'node:util';

import type { Database } from './database.ts';

export type WalSync = {
  /** Resolves when every commit made before the call is on disk. Rejects when the disk has failed: what is on it is then unknown. */
  sync: () => Promise<void>;
  close: () => void;
};

const syncData = promisify(fdatasync);

/** The database is in WAL mode; from now on its commits are safe against a crash of this process, and against a power cut once synced. */
export function createWalSync(db: Database): WalSync {
  db.pragma('synchronous = NORMAL');
  let file: number | null = null;
  return {
    sync: () => syncData((file ??= openSync(`${db.name}-wal`, 'r'))),
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}
