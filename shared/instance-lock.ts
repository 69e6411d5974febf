import { dirname } from 'node:path';

import { openLockFile } from './database.ts';
import type { Database } from './database.ts';
import { StartError } from './errors.ts';

export type InstanceLock = { release(): void };

/**
 * Keeps a second process out of a data directory: a SQLite file locked for as long as this process
 * lives. The kernel gives the lock back however it ends, so that none is ever stale.
 */
export function acquireInstanceLock(path: string): InstanceLock {
  const db = openLockFile(path);
  try {
    db.exec('begin exclusive');
  } catch (cause) {
    db.close();
    throw new StartError(explain(path, cause), { cause });
  }
  return {
    release: () => {
      closeLock(db);
    },
  };
}

function closeLock(db: Database): void {
  if (db.open) {
    db.close();
  }
}

function explain(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : '';
  return code === 'SQLITE_BUSY'
    ? `another instance is running on the data directory ${dirname(path)}`
    : `the lock file ${path} cannot be locked (${String(cause)})`;
}
