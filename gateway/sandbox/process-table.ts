// What /proc says about the processes of runs.
import { readdirSync, readFileSync } from 'node:fs';

/** The oldest child's oldest child, and so on; null when the line ends before that. */
export function descendantOf(pid: number, generations: number): number | null {
  if (generations === 0) return pid;
  const [child] = readProcFile(`/proc/${pid}/task/${pid}/children`)?.split(' ') ?? [];
  return child === undefined || child === '' ? null : descendantOf(Number(child), generations - 1);
}

/** A process and not merely its number, which somebody else may get after it. */
export type ProcessIdentity = { pid: number; startTime: string };

/** Null when there is no such process. */
export function identify(pid: number): ProcessIdentity | null {
  const startTime = statFields(pid)?.[19];
  return startTime === undefined ? null : { pid, startTime };
}

/** False for a zombie as well: it runs nothing any more. */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const fields = statFields(pid);
  return fields !== null && fields[19] === startTime && fields[0] !== 'Z' && fields[0] !== 'X';
}

/** What stands in /proc/<pid>/stat behind the name, which may hold spaces and parentheses: state first, start time 20th. */
function statFields(pid: number): string[] | null {
  const stat = readProcFile(`/proc/${pid}/stat`);
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/**
 * Live processes that carry the variable in their environment, its value accepted by `isWanted`. A run's children inherit it,
 * also in a new session, so this finds what a process group does not hold, and never somebody who merely got a recycled pid.
 */
export function processesMarked(
  variable: string,
  isWanted: (value: string) => boolean,
  mayBe: (pid: number) => boolean = () => true,
): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const value = mayBe(pid) ? environmentVariable(pid, variable) : null;
      const found = value !== null && isWanted(value) ? identify(pid) : null;
      return found !== null && isAlive(found);
    });
}

/**
 * Tells which pids were given out from `firstPid` until now: the kernel counts up and begins again at its limit. Right for as long as
 * it cannot have gone round a whole time.
 */
export function pidsSince(firstPid: number): (pid: number) => boolean {
  const newestPid = Number(readProcFile('/proc/loadavg')?.trim().split(' ').at(-1));
  if (!Number.isInteger(newestPid)) return () => true;
  return newestPid >= firstPid
    ? (pid) => pid >= firstPid && pid <= newestPid
    : (pid) => pid >= firstPid || pid <= newestPid;
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
