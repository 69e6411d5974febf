// A copy of a database as it is at one moment, while its service goes on writing.
import { closeSync, fdatasyncSync, openSync } from 'node:fs';

import { makeStandalone, openCheckpointer } from './database.ts';
import type { Database } from './database.ts';

/** A megabyte. Each piece is on disk before the next: written at once, the copy would keep the service's commits waiting. */
const pagesAtOnce = 256;

/** Throws what `beforeEachPiece` throws. The path must not exist. */
export async function copyDatabase(
  db: Database,
  path: string,
  beforeEachPiece: () => void,
): Promise<void> {
  const file = openSync(path, 'wx', 0o600);
  using checkpointer = openCheckpointer(db.name);
  // The moment: without a transaction, every write of somebody else would make the copying begin again.
  db.exec('begin');
  try {
    db.prepare('select count(*) from sqlite_schema').get();
    const progress = (): number => {
      beforeEachPiece();
      fdatasyncSync(file);
      return pagesAtOnce;
    };
    await db.backup(path, { progress });
  } finally {
    db.exec('rollback');
    closeSync(file);
  }
  // What has gathered in the write-ahead log meanwhile: the service would carry all of it over at once, with its next commit.
  checkpointer.checkpoint();
  makeStandalone(path);
}
