// What a restore does with files: copies beside their place, checked against the manifest there, then moved into it.
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { syncDirectory } from '#shared/sync-directory.ts';

import { BackupError } from './backup-error.ts';
import { copyFile } from './copied-file.ts';
import type { BackupFile } from './manifest.ts';

/** Cheap, so before anything is made. */
export async function requireSizes(backupDir: string, files: readonly BackupFile[]): Promise<void> {
  for (const { path, size } of files) {
    const found = await stat(join(backupDir, path)).catch(() => null);
    if (found === null) throw damaged(backupDir, path, 'is missing');
    if (found.size !== size) {
      throw damaged(backupDir, path, `has ${found.size} bytes, and had ${size}`);
    }
  }
}

export async function copyChecked(
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

export type Pair = [name: string, said: number | string, found: number | string];

/** A manifest that fits another database would mean that somebody has put the two together. */
export function requireFit(pairs: readonly Pair[]): void {
  const differing = pairs.find(([, said, found]) => said !== found);
  if (differing === undefined) return;
  const [name, said, found] = differing;
  throw new BackupError(
    `the manifest does not fit the database: ${name} ${said} in one, ${found} in the other`,
  );
}

export type Stage = AsyncDisposable & {
  path: string;
  /** `last` is the database, if there is one: without it, nothing has been restored. */
  moveInto: (files: readonly BackupFile[], last?: string) => Promise<void>;
};

/** Disposing of it removes it. Needs the instance lock. */
export async function openStage(dataDir: string, stageName: string): Promise<Stage> {
  const path = join(dataDir, stageName);
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true });
  await remove();
  await mkdir(path, { mode: 0o700 });
  return {
    path,
    async moveInto(files, last) {
      const names = new Set(files.map((file) => file.path.split('/')[0]!));
      if (last !== undefined && names.delete(last)) names.add(last);
      for (const name of names) {
        syncDirectory(path);
        await rename(join(path, name), join(dataDir, name));
        syncDirectory(dataDir);
      }
    },
    [Symbol.asyncDispose]: remove,
  };
}
