// Whether this machine can carry one more run: free memory and disk. A run that it cannot carry waits.
import { statfsSync } from 'node:fs';

export type StartRoom = {
  /** Null when there is room, else what is missing, for the operator. */
  missing: () => string | null;
  /** The same in short, for programs. */
  lacks: () => { memory: boolean; disk: boolean };
  /** A process for a run has started: it has not yet taken the memory it will take. */
  noteStart: () => void;
  /** The run that started last has found its process there: it takes no more memory. */
  noteReady: () => void;
  /** Whether a process may be started ahead, and the next run would still find room for one of its own. */
  hasRoomToPrepare: () => boolean;
  /** Less memory is free than a run takes. */
  isMemoryShort: () => boolean;
};

export type StartRoomParts = {
  /** What one run takes. */
  runMemoryBytes: number;
  diskReserveBytes: number;
  paths: readonly string[];
  /** Null where it cannot be told. */
  freeMemoryBytes: () => number | null;
  /** Processes that wait for a run: they have their memory already. */
  preparedRuns: () => number;
  monotonicMs: () => number;
};

/** A CLI has its full size by then. */
const growsForMs = 3000;

export function createStartRoom(parts: StartRoomParts): StartRoom {
  let starts: number[] = [];

  const freeBytes = (): number =>
    (parts.runMemoryBytes === 0 ? null : parts.freeMemoryBytes()) ?? Number.POSITIVE_INFINITY;
  const growing = (): number => {
    const now = parts.monotonicMs();
    starts = starts.filter((at) => now - at < growsForMs);
    return starts.length;
  };
  const missingMemory = (): string | null => {
    const free = freeBytes();
    const runs = Math.max(0, growing() + 1 - parts.preparedRuns());
    const needed = runs * parts.runMemoryBytes;
    return free >= needed ? null : `${megabytes(free)} of memory free, ${megabytes(needed)} needed`;
  };
  const missingDisk = (): string | null => {
    for (const path of parts.paths) {
      const space = diskSpaceNow(path, parts.diskReserveBytes);
      if (space !== null && space.free <= space.needed) {
        return `${megabytes(space.free)} of disk free, ${megabytes(space.needed)} needed`;
      }
    }
    return null;
  };
  return {
    missing: () => missingMemory() ?? missingDisk(),
    lacks: () => ({ memory: missingMemory() !== null, disk: missingDisk() !== null }),
    noteStart: () => void starts.push(parts.monotonicMs()),
    noteReady: () => void starts.pop(),
    hasRoomToPrepare: () =>
      freeBytes() >= (growing() + 2) * parts.runMemoryBytes && missingDisk() === null,
    isMemoryShort: () => freeBytes() < parts.runMemoryBytes,
  };
}

function diskSpaceNow(path: string, reserveBytes: number): { free: number; needed: number } | null {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { free: bavail * bsize, needed: Math.min(reserveBytes, (blocks * bsize) / 20) };
  } catch {
    // Preparing the run there says what is wrong with it.
    return null;
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MB`;
}
