// How much memory this process and its runs can still have.
import { readFileSync } from 'node:fs';

import { memoryGroups } from './control-group.ts';

/** What the kernel says can be had without swapping, and no more than the control groups around this process allow. Null where neither can be told. */
export function freeMemoryBytes(): number | null {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo'))?.[1];
  const amounts = [
    ...(available === undefined ? [] : [Number(available) * 1024]),
    ...freeInControlGroups(),
  ];
  return amounts.length === 0 ? null : Math.min(...amounts);
}

const fileNames = {
  1: {
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cached: /^total_inactive_file (\d+)$/m,
  },
  2: { limit: 'memory.max', used: 'memory.current', cached: /^inactive_file (\d+)$/m },
} as const;

/** Version 1 writes no limit as a number beyond any machine. */
const limitBytesMax = 2 ** 60;

/** Of each group that has a limit: a service or a container has one of its own, or lies in one that has. */
function freeInControlGroups(): number[] {
  const groups = memoryGroups(read('/proc/self/cgroup'));
  if (groups === null) return [];
  const names = fileNames[groups.version];
  return groups.directories.flatMap((directory) => {
    const limit = Number(read(`${directory}/${names.limit}`) || 'none');
    if (Number.isNaN(limit) || limit >= limitBytesMax) return [];
    const used = Number(read(`${directory}/${names.used}`));
    // Cached files are given up when memory is needed.
    const cached = Number(names.cached.exec(read(`${directory}/memory.stat`))?.[1] ?? 0);
    return [limit - used + cached];
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}
