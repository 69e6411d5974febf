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

const cutOff = /^gatehouse-.+\.partial$/;
/** A backup that takes longer is none. */
const cutOffAfterMs = 24 * 60 * 60_000;

export async function openBackupDraft(targetDir: string, now: number): Promise<BackupDraft> {
  await makeDirectory(targetDir, 0o700);
  await removeCutOff(targetDir, now);
  const finalPath = join(targetDir, `gatehouse-${isoTime(now).replaceAll(':', '')}`);
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
async function removeCutOff(targetDir: string, now: number): Promise<void> {
  for (const name of (await readdir(targetDir)).filter((each) => cutOff.test(each))) {
    const path = join(targetDir, name);
    const { mtimeMs } = await stat(path);
    if (now - mtimeMs > cutOffAfterMs) await rm(path, { recursive: true, force: true });
  }
}
