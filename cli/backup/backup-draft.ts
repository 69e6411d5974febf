// The directory of a backup while it is made: under another name until it is whole.
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { isoTime } from '#shared/clock.ts';
import { makeDirectory } from '#shared/make-directory.ts';
import { syncDirectory } from '#shared/sync-directory.ts';

/** Disposing of it removes it unless it was kept. */
export type BackupDraft = AsyncDisposable & {
  path: string;
  /** Gives the path under its real name. */
  keep: () => Promise<string>;
};

/** A backup that takes longer is none. */
const cutOffAfterMs = 24 * 60 * 60_000;

/** Backups of one service have names of their own. */
export type DraftPlace = { targetDir: string; name: 'gatehouse' | 'vault'; now: number };

export async function openBackupDraft(place: DraftPlace): Promise<BackupDraft> {
  const { targetDir, name, now } = place;
  await makeDirectory(targetDir, 0o700);
  await removeCutOff(place);
  const finalPath = join(targetDir, `${name}-${isoTime(now).replaceAll(':', '')}`);
  const path = `${finalPath}.partial`;
  await mkdir(path, { mode: 0o700 });
  let isKept = false;
  return {
    path,
    async keep() {
      syncDirectory(path);
      await rename(path, finalPath);
      isKept = true;
      syncDirectory(targetDir);
      return finalPath;
    },
    async [Symbol.asyncDispose]() {
      if (!isKept) await rm(path, { recursive: true, force: true });
    },
  };
}

/** What a power cut or kill -9 left of earlier ones; not one that somebody else is making. */
async function removeCutOff({ targetDir, name, now }: DraftPlace): Promise<void> {
  const isCutOff = (each: string): boolean =>
    each.startsWith(`${name}-`) && each.endsWith('.partial');
  for (const found of (await readdir(targetDir)).filter(isCutOff)) {
    const path = join(targetDir, found);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > cutOffAfterMs) await rm(path, { recursive: true, force: true });
  }
}
