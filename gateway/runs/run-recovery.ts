// What a gateway that was killed left behind: processes, directories and open rows. Before the first new run.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';

import { processesMarked, signalAll } from '../sandbox/process-table.ts';
import { removeRunDirectory } from '../sandbox/run-directory.ts';
import { runMarker } from '../sandbox/sandboxed-process.ts';
import { closeRun } from './run-closing.ts';
import type { RunRecords } from './run-record.ts';
import type { EndedRunFacts } from './run-settlement.ts';
import { fateOf } from './run-state.ts';
import type { RunStore, StoredRun } from './run-store.ts';

export type Recovery = {
  /** Runs that wait for their turn again, oldest first. */
  waiting: StoredRun[];
  /** Runs that were under way, or that nobody waits for any more. */
  closedRuns: number;
  endedProcesses: number;
  removedDirectories: number;
  /** Processes that could not be ended. */
  survivors: number;
};

export type RecoveryParts = {
  runsDir: string;
  store: RunStore;
  records: Pick<RunRecords, 'putBack' | 'end'>;
  /** Marks of processes that are not of a run alone: of conversations. */
  alsoMarked: readonly string[];
  onEnded: (facts: EndedRunFacts) => void;
  clock: Clock;
};

const goneWithinMs = 5000;
const ownDirectory = /^((run|prepared)_[0-9a-z]{26}|gatehouse-.+)$/;

/** Of a run, of a process prepared for one, or of a look at the sandbox or at claude. */
export function isOwnDirectory(name: string): boolean {
  return ownDirectory.test(name);
}

/**
 * Only processes that carry the id of one of our own open runs or sessions are ended, or the name of a directory that lies in our
 * RUNS_DIR: a pid that was stored may belong to somebody else by now, and another gateway on this host has runs of its own. Needs
 * the locks.
 */
export async function recoverRuns(parts: RecoveryParts): Promise<Recovery> {
  const open = parts.store.open();
  const directories = (await readdir(parts.runsDir)).filter(isOwnDirectory);
  const runIds = open.map((run) => run.runId);
  const markers = new Set([...runIds, ...directories, ...parts.alsoMarked]);
  const { ended, survivors } = await endProcessesOf(markers, parts.clock);
  const waiting: StoredRun[] = [];
  for (const run of open) {
    const fate = fateOf(run);
    if (fate === 'wait') waiting.push(await waitAgain(run, parts));
    else await closeRun(run, { outcome: fate, message: messages[fate], survivors }, parts);
  }
  const removedDirectories = await removeLeftDirectories(parts.runsDir);
  return {
    waiting,
    closedRuns: open.length - waiting.length,
    endedProcesses: ended,
    removedDirectories,
    survivors,
  };
}

/** A run that had its turn gets another. */
async function waitAgain(run: StoredRun, { records }: RecoveryParts): Promise<StoredRun> {
  if (run.state === 'queued') return run;
  await records.putBack(run, { position: 1, estimateSecs: 0, waitsUntil: null }, []);
  return { ...run, state: 'queued' };
}

const messages = {
  interrupted: 'the gateway stopped before the run was done',
  cancelled: 'the run was cancelled',
} as const;

async function endProcessesOf(
  markers: ReadonlySet<string>,
  clock: Clock,
): Promise<{ ended: number; survivors: number }> {
  const seen = new Set<number>();
  const giveUpAt = clock.monotonicMs() + goneWithinMs;
  while (markers.size > 0) {
    const pids = processesMarked(runMarker, (value) => markers.has(value));
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
