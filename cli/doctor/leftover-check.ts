// What runs have left behind: there should be nothing, and the next start clears it away.
import { readdirSync } from 'node:fs';

import { isOwnDirectory } from '../../gateway/runs/run-recovery.ts';
import type { RunState } from '../../gateway/runs/run-state.ts';
import { processesMarked } from '../../gateway/sandbox/process-table.ts';
import { runMarker } from '../../gateway/sandbox/sandboxed-process.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

export type Leftovers = {
  isRunning: boolean;
  /** Names in RUNS_DIR; they belong to runs under way while the gateway runs. */
  directories: string[];
  /** Processes of our runs that should be over. */
  pids: number[];
  openRuns: number;
};

const startMend = 'start the gateway: it clears away what is left and closes the runs';

export function findLeftovers(
  runsDir: string,
  isRunning: boolean,
  runs: { stateOf: (runId: string) => RunState | null; openCount: () => number },
): Leftovers {
  const directories = isRunning ? [] : namesIn(runsDir).filter(isOwnDirectory);
  // Runs that we do not know belong to another gateway on this machine, unless their directories are ours.
  const isOver = (runId: string): boolean => {
    if (directories.includes(runId)) return true;
    const state = runs.stateOf(runId);
    return state === 'ended' || (state !== null && !isRunning);
  };
  const suspects = processesMarked(runMarker, isOver);
  // A run that ended between the two looks left nothing.
  const still = suspects.length === 0 ? [] : processesMarked(runMarker, isOver);
  return {
    isRunning,
    directories,
    pids: suspects.filter((pid) => still.includes(pid)),
    openRuns: isRunning ? 0 : runs.openCount(),
  };
}

export function judgeLeftovers({ isRunning, directories, pids, openRuns }: Leftovers): Finding[] {
  const name = 'leftovers';
  const findings: Finding[] = [];
  if (pids.length > 0) {
    findings.push(
      fail(
        name,
        `processes of runs that are over: ${pids.join(', ')}`,
        isRunning || openRuns === 0 ? `kill -9 ${pids.join(' ')}` : startMend,
      ),
    );
  }
  if (directories.length > 0) {
    const seen = `${directories.length} directories of runs, such as ${directories[0]}`;
    findings.push(warn(name, seen, startMend));
  }
  if (openRuns > 0) {
    findings.push(warn(name, `${openRuns} runs were cut off and are still open`, startMend));
  }
  return findings.length > 0 ? findings : [pass(name, 'nothing is left of earlier runs')];
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
