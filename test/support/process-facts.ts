// What /proc says about one process: how much it holds, and what it was started with.
import { readdirSync, readFileSync } from 'node:fs';

export type ProcessCounts = {
  openFiles: number;
  /** Live processes that it started. */
  children: number;
  /** Where memory is looked at. */
  residentMb?: number;
};

export function countsOf(pid: number): ProcessCounts {
  return { openFiles: readdirSync(`/proc/${pid}/fd`).length, children: childrenOf(pid).length };
}

export function residentMbOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))?.[1]) / 1024;
}

export function commandLineOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** Processor time that the live descendants of a process have used, in ticks of the kernel. */
export function processorTicksBelow(pid: number): number {
  return childrenOf(pid).reduce(
    (sum, child) => sum + ticksOf(child) + processorTicksBelow(child),
    0,
  );
}

function ticksOf(pid: number): number {
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

export function childrenOf(pid: number): number[] {
  return tasksOf(pid).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(' ').filter(Boolean).map(Number),
  );
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty for a process that is gone. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
