// The machine below the gateway: Node, clock, memory, disk.
import { access, constants, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

import { measureDiskSpace } from '#shared/disk-space.ts';
import type { DiskSpace } from '#shared/disk-space.ts';

import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

const nodeMajorMin = 24;
/** What a run of the CLI takes at least, measured. */
export const runMemoryBytes = 200 * 2 ** 20;

export function judgeNode(version: string): Finding {
  const major = Number(/^v(\d+)\./.exec(version)?.[1] ?? 0);
  if (major >= nodeMajorMin) return pass('node', version);
  return fail(
    'node',
    `${version}, too old`,
    'npm ci brings Node 24: start with npm start, not with a node of your own',
  );
}

const earliestSaneMs = Date.UTC(2025, 0, 1);
const latestSaneMs = Date.UTC(2100, 0, 1);
const aheadMsMax = 60_000;

/** @param lastAuditAt the time of the newest audit row; null when there is none. */
export function judgeClock(nowMs: number, lastAuditAt: string | null): Finding {
  const now = new Date(nowMs).toISOString();
  const mend = 'set the clock (timedatectl set-ntp true), then restart the gateway';
  if (nowMs < earliestSaneMs || nowMs > latestSaneMs) {
    return fail('clock', `it says ${now}`, mend);
  }
  if (lastAuditAt !== null && Date.parse(lastAuditAt) > nowMs + aheadMsMax) {
    return fail(
      'clock',
      `it says ${now}, but the newest audit row was written at ${lastAuditAt}`,
      mend,
    );
  }
  return pass('clock', now);
}

export function judgeMemory(availableBytes: number, concurrency: number): Finding {
  const neededBytes = concurrency * runMemoryBytes;
  const seen = `${megabytes(availableBytes)} available, ${concurrency} runs at once take about ${megabytes(neededBytes)}`;
  if (availableBytes >= neededBytes) return pass('memory', seen);
  const fitting = Math.floor(availableBytes / runMemoryBytes);
  return fitting < 1
    ? fail('memory', seen, 'give this machine or container more memory: not one run fits')
    : warn('memory', seen, `set GATEWAY_CONCURRENCY=${fitting}, or give it more memory`);
}

/** Of the machine and of the container around us, whichever is less. */
export async function availableMemoryBytes(): Promise<number> {
  const meminfo = await readFile('/proc/meminfo', 'utf8');
  const ofMachine = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024;
  const ofContainer = await containerMemoryBytes().catch(() => null);
  return Math.min(ofMachine, ofContainer ?? ofMachine);
}

async function containerMemoryBytes(): Promise<number | null> {
  const [most, used, details] = await Promise.all(
    ['memory.max', 'memory.current', 'memory.stat'].map((name) =>
      readFile(`/sys/fs/cgroup/${name}`, 'utf8'),
    ),
  );
  const limit = Number(most);
  const droppable = Number(/^inactive_file (\d+)$/m.exec(details ?? '')?.[1] ?? 0);
  return Number.isFinite(limit) ? limit - Number(used) + droppable : null;
}

export function judgeDisk(name: string, path: string, space: DiskSpace): Finding {
  const { freeBytes, neededBytes, isEnough } = space;
  const seen = `${megabytes(freeBytes)} free for ${path}, ${megabytes(neededBytes)} are kept free`;
  const mend = `free some space, or lower DISK_RESERVE_MB: below it no run starts`;
  if (!isEnough) return fail(name, seen, mend);
  return freeBytes < 2 * neededBytes ? warn(name, seen, mend) : pass(name, seen);
}

/** A directory that is not there yet is measured where it would be made. */
export async function checkDisk(
  name: string,
  path: string,
  reserveBytes: number,
): Promise<Finding> {
  const existing = await nearestExisting(path);
  const isWritable = await access(existing, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (!isWritable) {
    return fail(
      name,
      `${existing} cannot be written to`,
      `let the gateway's user write there, or choose another place (GATEWAY_DATA_DIR, RUNS_DIR)`,
    );
  }
  return judgeDisk(name, path, await measureDiskSpace(existing, reserveBytes));
}

async function nearestExisting(path: string): Promise<string> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  return isThere || path === dirname(path) ? path : nearestExisting(dirname(path));
}

function megabytes(bytes: number): string {
  return `${Math.max(0, Math.floor(bytes / 2 ** 20))} MB`;
}
