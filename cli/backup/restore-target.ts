// The data directory that a backup is restored into: nobody may be using it, and nothing in it may be overwritten.
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';
import { acquireInstanceLock } from '#shared/instance-lock.ts';
import { makeDirectory } from '#shared/make-directory.ts';

import { BackupError } from './backup-error.ts';

export type RestoreTarget = {
  dataDir: string;
  /** Whose it is to be. */
  uid: number;
  service: 'gateway' | 'vault';
  /** What would be overwritten. */
  names: readonly string[];
};

/** A database and what SQLite may have beside it. */
export function databaseNames(file: string): string[] {
  return ['', '-wal', '-shm', '-journal'].map((suffix) => file + suffix);
}

/** Made when it is not there. Keeps the service from starting until it is disposed of. */
export async function holdTarget(target: RestoreTarget): Promise<Disposable> {
  const { dataDir } = target;
  await makeDirectory(dataDir, 0o700);
  requireOwner(target);
  const lock = lockTarget(target);
  try {
    requireNothingThere(target);
  } catch (err) {
    lock.release();
    throw err;
  }
  return { [Symbol.dispose]: () => lock.release() };
}

/** The service could not open what another user has restored. */
function requireOwner({ dataDir, uid }: RestoreTarget): void {
  const owner = lstatSync(dataDir).uid;
  if (owner === uid) return;
  throw new BackupError(
    `${dataDir} belongs to uid ${owner}, this is uid ${uid}: restore as that user (sudo -u '#${owner}')`,
  );
}

function lockTarget({ dataDir, service }: RestoreTarget) {
  try {
    return acquireInstanceLock(join(dataDir, `${service}.lock`));
  } catch (cause) {
    if (!(cause instanceof StartError)) throw cause;
    throw new BackupError(`${cause.message}: stop the ${service} first`, { cause });
  }
}

function requireNothingThere({ dataDir, names }: RestoreTarget): void {
  const there = names.filter(
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
