// The data directory that a backup is restored into: nobody may be using it, and nothing in it may be overwritten.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';
import { acquireInstanceLock } from '#shared/instance-lock.ts';
import { makeDirectory } from '#shared/make-directory.ts';

import { BackupError } from './backup-error.ts';

const restored = [
  'gateway.db',
  'gateway.db-wal',
  'gateway.db-shm',
  'gateway.db-journal',
  'admin-token',
  'files',
];

/** Made when it is not there. Keeps a gateway from starting until it is disposed of. */
export async function holdTarget(dataDir: string, uid: number): Promise<Disposable> {
  await makeDirectory(dataDir, 0o700);
  requireOwner(dataDir, uid);
  const lock = lockTarget(dataDir);
  try {
    requireNothingThere(dataDir);
  } catch (err) {
    lock.release();
    throw err;
  }
  return { [Symbol.dispose]: () => lock.release() };
}

/** The gateway could not open what another user has restored. */
function requireOwner(dataDir: string, uid: number): void {
  const owner = lstatSync(dataDir).uid;
  if (owner === uid) return;
  throw new BackupError(
    `${dataDir} belongs to uid ${owner}, this is uid ${uid}: restore as that user (sudo -u '#${owner}')`,
  );
}

function lockTarget(dataDir: string) {
  try {
    return acquireInstanceLock(join(dataDir, 'gateway.lock'));
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause;
    throw new BackupError(`${cause.message}: stop the gateway first`, { cause });
  }
}

function requireNothingThere(dataDir: string): void {
  const there = restored.filter(
    (name) => lstatSync(join(dataDir, name), { throwIfNoEntry: false }) !== undefined,
  );
  if (there.length === 0) return;
  throw new BackupError(
    `${join(dataDir, there[0]!)} is there already, and nothing is overwritten. To move it away:\n` +
      `  cd ${quoted(dataDir)} && mkdir before-restore && mv ${there.join(' ')} before-restore/`,
  );
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
