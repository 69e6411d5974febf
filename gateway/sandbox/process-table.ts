// What /proc says about the processes of runs.
import { readdirSync, readFileSync } from 'node:fs';

/** Process ids of the direct children, oldest first; none when the process is gone. */
export function childrenOf(pid: number): number[] {
  const text = readProcFile(`/proc/${pid}/task/${pid}/children`);
  return text === null ? [] : text.split(' ').filter(Boolean).map(Number);
}

/** False for a zombie as well: it runs nothing any more. */
export function isAlive(pid: number): boolean {
  const stat = readProcFile(`/proc/${pid}/stat`);
  if (stat === null) return false;
  // The name before it may hold spaces and parentheses.
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== 'Z' && state !== 'X';
}

/**
 * Live processes that carry the variable in their environment, its value accepted by `isWanted`. A run's children inherit it,
 * also in a new session, so this finds what a process group does not hold, and never somebody who merely got a recycled pid.
 */
export function processesMarked(variable: string, isWanted: (value: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const value = environmentVariable(pid, variable);
      return value !== null && isWanted(value) && isAlive(pid);
    });
}

/** Signals every process or, with a negative number, process group that is still there. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    // 0 and -1 mean our own group and everybody.
    if (Math.abs(pid) <= 1) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // Gone already, or not ours.
    }
  }
}

function environmentVariable(pid: number, variable: string): string | null {
  const environment = readProcFile(`/proc/${pid}/environ`);
  const start = `${variable}=`;
  if (environment?.includes(start) !== true) return null;
  const entry = environment.split('\0').find((each) => each.startsWith(start));
  return entry === undefined ? null : entry.slice(start.length);
}

function readProcFile(path: string): string | null {
  try {
    // Of all encodings this one is read in a single call.
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
