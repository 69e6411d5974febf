// What a gateway that was killed left behind: processes, directories and open rows. Before the first new run.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';

import { processesMarked, signalAll } from '../sandbox/process-table.ts';
import { removeRunDirectory } from '../sandbox/run-directory.ts';
import { runMarker } from '../sandbox/sandboxed-process.ts';
import type { RunRecords } from './run-record.ts';
import type { RunStore } from './run-store.ts';

export type Recovery = {
  interruptedRuns: number;
  endedProcesses: number;
  removedDirectories: number;
  /** Processes that could not be ended. */
  survivors: number;
};

const goneWithinMs = 5000;
const ownDirectory = /^(run_[0-9a-z]{26}|gatehouse-.+)$/;

/** Of a run, or of a look at the sandbox or at claude. */
export function isOwnDirectory(name: string): boolean {
  return ownDirectory.test(name);
}

/**
 * Only processes that carry the id of one of our own open runs are ended: a pid that was stored may belong to somebody else by
 * now, and another gateway on this host has runs of its own. Needs the instance lock.
 */
export async function recoverRuns(options: {
  runsDir: string;
  store: RunStore;
  records: RunRecords;
  clock: Clock;
}): Promise<Recovery> {
  const { runsDir, store, records, clock } = options;
  const openRuns = new Set(store.open().map((run) => run.runId));
  const { ended, survivors } = await endProcessesOf(openRuns, clock);
  const interrupted = await records.closeInterrupted(() => survivors);
  const removedDirectories = await removeLeftDirectories(runsDir);
  return {
    interruptedRuns: interrupted.length,
    endedProcesses: ended,
    removedDirectories,
    survivors,
  };
}

async function endProcessesOf(
  runIds: ReadonlySet<string>,
  clock: Clock,
): Promise<{ ended: number; survivors: number }> {
  const seen = new Set<number>();
  const giveUpAt = clock.monotonicMs() + goneWithinMs;
  while (runIds.size > 0) {
    const pids = processesMarked(runMarker, (value) => runIds.has(value));
    for (const pid of pids) seen.add(pid);
    if (pids.length === 0 || clock.monotonicMs() > giveUpAt) {
      return { ended: seen.size - pids.length, survivors: pids.length };
    }
    signalAll(pids, 'SIGKILL');
    await clock.sleep(10);
  }
  return { ended: 0, survivors: 0 };
}

async function removeLeftDirectories(runsDir: string): Promise<number> {
  const names = (await readdir(runsDir)).filter(isOwnDirectory);
  for (const name of names) await removeRunDirectory(join(runsDir, name));
  return names.length;
}
