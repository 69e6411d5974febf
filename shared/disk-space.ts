// Whether there is room on a disk: asked before work begins that writes to it.
import { statfs } from 'node:fs/promises';

import type { Clock } from './clock.ts';

export type DiskSpace = { freeBytes: number; neededBytes: number; isEnough: boolean };

/** @param reserveBytes what must stay free; on a small disk a twentieth of it is enough. */
export async function measureDiskSpace(path: string, reserveBytes: number): Promise<DiskSpace> {
  const stats = await statfs(path);
  const freeBytes = stats.bavail * stats.bsize;
  const neededBytes = Math.min(reserveBytes, (stats.blocks * stats.bsize) / 20);
  return { freeBytes, neededBytes, isEnough: freeBytes > neededBytes };
}

/** A place that cannot be measured refuses nobody: whoever writes there is told what is wrong with it. */
export async function hasDiskSpace(
  paths: readonly string[],
  reserveBytes: number,
): Promise<boolean> {
  const spaces = await Promise.all(
    paths.map((path) => measureDiskSpace(path, reserveBytes).catch(() => null)),
  );
  return spaces.every((space) => space?.isEnough !== false);
}

/** A disk does not fill up in less, and a look costs as much as a tenth of taking in a request. */
const trustedForMs = 100;

/** The same, where requests that come close together share one look at the disk. */
export function createDiskCheck(
  paths: readonly string[],
  reserveBytes: number,
  clock: Pick<Clock, 'monotonicMs'>,
): () => Promise<boolean> {
  let lookedAt = Number.NEGATIVE_INFINITY;
  let look = Promise.resolve(true);
  return () => {
    const now = clock.monotonicMs();
    if (now - lookedAt >= trustedForMs) {
      lookedAt = now;
      look = hasDiskSpace(paths, reserveBytes);
      // Somebody may be making room.
      void look.then((isEnough) => isEnough || (lookedAt = Number.NEGATIVE_INFINITY));
    }
    return look;
  };
}

export function isDiskFull(err: unknown): boolean {
  return err instanceof Error && 'code' in err && (err.code === 'ENOSPC' || err.code === 'EDQUOT');
}
