import { statfs } from 'node:fs/promises';

import { BackupError } from './backup-error.ts';

/** Refuses before anything is written: a disk that runs full takes the gateway along. */
export async function requireRoom(
  directory: string,
  neededBytes: number,
  reserveBytes: number,
): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes + reserveBytes) return;
  throw new BackupError(
    `there is no room in ${directory}: it takes ${megabytes(neededBytes)}, ` +
      `${megabytes(freeBytes)} are free, of which ${megabytes(reserveBytes)} are to stay free (DISK_RESERVE_MB)`,
  );
}

export function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
