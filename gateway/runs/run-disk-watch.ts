// Watches what a run puts on disk: no limit of the kernel stops many small files.
import type { Clock } from '#shared/clock.ts';

import { directoryBytes } from '../sandbox/run-directory.ts';
import { hasDiskSpace } from './disk-space.ts';

export type RunDiskLimits = { runBytes: number; reserveBytes: number };

const intervalMs = 1000;

/** Calls `onFull` once when the run's directory is over its size or the disk near full, until the signal aborts. */
export function watchRunDisk(
  root: string,
  limits: RunDiskLimits,
  clock: Clock,
  over: AbortSignal,
  onFull: () => void,
): void {
  const watch = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(intervalMs, over);
      const bytes = await directoryBytes(root, limits.runBytes);
      const hasSpace = await hasDiskSpace([root], limits.reserveBytes);
      if (bytes < limits.runBytes && hasSpace) continue;
      onFull();
      return;
    }
  };
  // Rejects when the run is over, its directory with it.
  watch().catch(() => {});
}
