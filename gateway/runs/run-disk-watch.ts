// Watches what a run puts on disk: no limit of the kernel stops many small files.
import type { Clock } from '#shared/clock.ts';
import { hasDiskSpace } from '#shared/disk-space.ts';

import { directoryBytes } from '../sandbox/run-directory.ts';

export type RunDiskLimits = {
  runBytes: number;
  reserveBytes: number;
  /** Directories of others that the run may write: not counted, but their disk must not become full either. */
  alsoWritten?: readonly string[];
};

const intervalMs = 1000;

/** Calls `onFull` once when the run's directory is over its size or the disk near full, until the signal aborts. */
export function watchRunDisk(
  root: string,
  limits: RunDiskLimits,
  clock: Clock,
  over: AbortSignal,
  onFull: () => void,
): void {
  const paths = [root, ...(limits.alsoWritten ?? [])];
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(intervalMs, over);
      const bytes = await directoryBytes(root, limits.runBytes);
      const hasSpace = await hasDiskSpace(paths, limits.reserveBytes);
      if (bytes < limits.runBytes && hasSpace) continue;
      onFull();
      return;
    }
  };
  // Rejects when the run is over, its directory with it.
  watch().catch(() => {});
}
