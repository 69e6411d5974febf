// SQLite needs room even to delete, so a file is kept that can be given up when the disk is full.
import { randomFillSync } from 'node:crypto';
import { closeSync, fsyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

import type { Clock } from './clock.ts';

export type DiskReserve = {
  /** Gives the file up; says whether there was one. */
  drop(): boolean;
  /** Makes the file when it is missing and there is room to spare; cheap to call often. */
  restore(): boolean;
};

export type DiskReserveOptions = { path: string; clock: Clock; bytes?: number };

const defaultBytes = 2 * 2 ** 20;
const triesApartMs = 10_000;
/** Times its size must be free: else it would take again what was just given up. */
const spareFactor = 4;

export function createDiskReserve(options: DiskReserveOptions): DiskReserve {
  const { path, clock } = options;
  const bytes = options.bytes ?? defaultBytes;
  let present = sizeOf(path) === bytes;
  let lastTryMs = Number.NEGATIVE_INFINITY;

  function restore(): boolean {
    const nowMs = clock.monotonicMs();
    if (present || nowMs - lastTryMs < triesApartMs) {
      return present;
    }
    lastTryMs = nowMs;
    present = freeBytes(dirname(path)) > bytes * spareFactor && allocate(path, bytes);
    return present;
  }

  return {
    drop: () => {
      const had = present;
      present = false;
      rmSync(path, { force: true });
      lastTryMs = clock.monotonicMs();
      return had;
    },
    restore,
  };
}

// Random bytes, because a file system may not give zeros any blocks.
function allocate(path: string, bytes: number): boolean {
  try {
    const file = openSync(path, 'w', 0o600);
    try {
      writeSync(file, randomFillSync(Buffer.allocUnsafe(bytes)));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return sizeOf(path) === bytes;
  } catch {
    rmSync(path, { force: true });
    return false;
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
