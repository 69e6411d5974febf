// Whether there is room for another run: asked before it costs a process.
import { statfs } from 'node:fs/promises';

export type DiskSpace = { freeBytes: number; neededBytes: number; isEnough: boolean };

/** @param reserveBytes what must stay free; on a small disk a twentieth of it is enough. */
export async function measureDiskSpace(path: string, reserveBytes: number): Promise<DiskSpace> {
  const stats = await statfs(path);
  const freeBytes = stats.bavail * stats.bsize;
  const neededBytes = Math.min(reserveBytes, (stats.blocks * stats.bsize) / 20);
  return { freeBytes, neededBytes, isEnough: freeBytes > neededBytes };
}

/** A place that cannot be measured refuses nobody: preparing a run there says what is wrong with it. */
export async function hasDiskSpace(
  paths: readonly string[],
  reserveBytes: number,
): Promise<boolean> {
  const spaces = await Promise.all(
    paths.map((path) => measureDiskSpace(path, reserveBytes).catch(() => null)),
  );
  return spaces.every((space) => space?.isEnough !== false);
}

/** The same, where requests that come together share one look at the disk. */
export function createDiskCheck(
  paths: readonly string[],
  reserveBytes: number,
): () => Promise<boolean> {
  let looking: Promise<boolean> | null = null;
  return () =>
    (looking ??= hasDiskSpace(paths, reserveBytes).finally(() => {
      looking = null;
    }));
}
