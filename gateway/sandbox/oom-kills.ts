// How often the kernel has killed for want of memory: the only way to tell such an end from any other SIGKILL.
import { readFileSync } from 'node:fs';

import { memoryGroups } from './control-group.ts';

const diedOfSigkill = 128 + 9;

/** Within the control group of this process, which its runs share; on the whole machine where there is no such count. Null where none can be read. */
export function countOomKills(): number | null {
  for (const path of countingFiles(read('/proc/self/cgroup'))) {
    const count = /^oom_kill (\d+)$/m.exec(read(path))?.[1];
    if (count !== undefined) return Number(count);
  }
  return null;
}

/** From the most particular to the most general; the first that can be read counts. */
export function countingFiles(selfCgroup: string): string[] {
  const groups = memoryGroups(selfCgroup);
  const name = groups?.version === 1 ? 'memory.oom_control' : 'memory.events';
  const files = (groups?.directories ?? []).map((directory) => `${directory}/${name}`);
  return [...files, '/proc/vmstat'];
}

/** Whether a process was ended by the kernel for want of memory, and not by the gateway. */
export function wasOomKilled(
  exit: { code: number | null; signal: string | null; isKilledByUs: boolean },
  killsBefore: number | null,
  killsAfter: number | null,
): boolean {
  // bwrap tells the signal that ended its program as an exit code.
  const wasKilled = exit.signal === 'SIGKILL' || exit.code === diedOfSigkill;
  if (!wasKilled || exit.isKilledByUs) return false;
  return killsBefore !== null && killsAfter !== null && killsAfter > killsBefore;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
