// A backup put back: copied beside its place, checked there against its manifest, and moved into its place when all is well.
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import { makeStandalone } from '#shared/database.ts';
import { syncDirectory } from '#shared/sync-directory.ts';

import { BackupError } from './backup-error.ts';
import { copyFile } from './copied-file.ts';
import type { DataSettings } from './data-settings.ts';
import { readDatabaseFacts } from './database-facts.ts';
import { requireRoom } from './disk-room.ts';
import { bytesOf, readManifest } from './manifest.ts';
import type { BackupFile, Manifest } from './manifest.ts';
import { interruptOpenRuns } from './open-runs.ts';
import { holdTarget } from './restore-target.ts';

export type RestoreParts = DataSettings & {
  backupDir: string;
  uid: number;
  /** Aborts with the reason to be told. */
  signal: AbortSignal;
  clock: Clock;
};

export type Restored = { manifest: Manifest; interruptedRuns: number };

/** Throws when the backup is not as its manifest says or has no place here; the data directory is as it was then. */
export async function restoreBackup(parts: RestoreParts): Promise<Restored> {
  const { backupDir, dataDir, uid, diskReserveBytes, signal, clock } = parts;
  const manifest = await readManifest(backupDir);
  await requireSizes(backupDir, manifest.files);
  await using opened = new AsyncDisposableStack();
  opened.use(await holdTarget(dataDir, uid));
  const stage = opened.use(await openStage(dataDir));
  await requireRoom(dataDir, bytesOf(manifest.files), diskReserveBytes);
  for (const file of manifest.files) await copyChecked(file, backupDir, stage.path, signal);
  const database = join(stage.path, 'gateway.db');
  requireSame(manifest, database);
  const interruptedRuns = await interruptOpenRuns(database, clock);
  makeStandalone(database);
  signal.throwIfAborted();
  await stage.moveInto(manifest.files);
  return { manifest, interruptedRuns };
}

/** Cheap, so before anything is made. */
async function requireSizes(backupDir: string, files: readonly BackupFile[]): Promise<void> {
  if (!files.some(({ path }) => path === 'gateway.db')) {
    throw new BackupError(`${backupDir} is not a backup: there is no database in it`);
  }
  for (const { path, size } of files) {
    const found = await stat(join(backupDir, path)).catch(() => null);
    if (found === null) throw damaged(backupDir, path, 'is missing');
    if (found.size !== size) {
      throw damaged(backupDir, path, `has ${found.size} bytes, and had ${size}`);
    }
  }
}

async function copyChecked(
  { path, sha256 }: BackupFile,
  backupDir: string,
  stageDir: string,
  signal: AbortSignal,
): Promise<void> {
  const target = join(stageDir, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  const copied = await copyFile(join(backupDir, path), target, () => signal.throwIfAborted());
  if (copied.sha256 !== sha256) throw damaged(backupDir, path, 'is not what it was');
}

function damaged(backupDir: string, path: string, how: string): BackupError {
  return new BackupError(`${join(backupDir, path)} ${how}: take another backup`);
}

/** The whole of it: a manifest that fits another database would mean that somebody has put the two together. */
function requireSame(manifest: Manifest, path: string): void {
  const facts = readDatabaseFacts(path);
  const pairs: [string, number | string, number | string][] = [
    ['schema', manifest.schema, facts.schema],
    ['apps', manifest.apps, facts.apps],
    ['runs', manifest.runs, facts.runs],
    ['audit rows', manifest.audit_rows, facts.auditRows],
    ['audit head', manifest.audit_head_hash, facts.auditHead.hash],
  ];
  const differing = pairs.find(([, said, found]) => said !== found);
  if (differing === undefined) return;
  const [name, said, found] = differing;
  throw new BackupError(
    `the manifest does not fit the database: ${name} ${said} in one, ${found} in the other`,
  );
}

type Stage = AsyncDisposable & {
  path: string;
  moveInto: (files: readonly BackupFile[]) => Promise<void>;
};

/** Disposing of it removes it. Needs the instance lock. */
async function openStage(dataDir: string): Promise<Stage> {
  const path = join(dataDir, 'restore.partial');
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  await remove();
  await mkdir(path, { mode: 0o700 });
  return {
    path,
    async moveInto(files) {
      const names = new Set(files.map((file) => file.path.split('/')[0]!));
      names.delete('gateway.db');
      // The database last: without it, nothing has been restored.
      for (const name of [...names, 'gateway.db']) {
        syncDirectory(path);
        await rename(join(path, name), join(dataDir, name));
        syncDirectory(dataDir);
      }
    },
    [Symbol.asyncDispose]: remove,
  };
}
