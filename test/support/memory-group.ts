// A memory control group of its own for a process of a test: below that of the test, which needs root and version 1 of control groups.
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import { memoryGroups } from '../../gateway/sandbox/control-group.ts';

export type MemoryGroup = AsyncDisposable & {
  /** A command line that puts itself into the group and goes on with what is appended to it. */
  launcher: string[];
  limit: (bytes: number) => void;
  /** How often the kernel has killed in it. */
  kills: () => number;
};

const prefix = 'gatehouse-test-';

/** Null where this user may not make one. Its processes must have ended before it is disposed of. */
export function createMemoryGroup(limitBytes: number): MemoryGroup | null {
  const groups = memoryGroups(readFileSync('/proc/self/cgroup', 'utf8'));
  const [own] = groups?.directories ?? [];
  if (groups?.version !== 1 || own === undefined) return null;
  removeLeftovers(own);
  const path = join(own, `${prefix}${process.pid}-${Date.now()}`);
  const limit = (bytes: number): void =>
    writeFileSync(join(path, 'memory.limit_in_bytes'), String(bytes));
  try {
    mkdirSync(path);
    limit(limitBytes);
  } catch {
    tryToRemove(path);
    return null;
  }
  return {
    limit,
    launcher: ['sh', '-c', 'echo $$ > "$0" && exec "$@"', join(path, 'cgroup.procs')],
    kills: () => {
      const text = readFileSync(join(path, 'memory.oom_control'), 'utf8');
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1]);
    },
    [Symbol.asyncDispose]: async () => {
      // The kernel lets a group go a moment after its last process.
      if (tryToRemove(path)) return;
      await expect.poll(() => tryToRemove(path), { timeout: 10_000 }).toBe(true);
    },
  };
}

export const canLimitMemory = await (async (): Promise<boolean> => {
  await using group = createMemoryGroup(2 ** 30);
  return group !== null;
})();
export const needsMemoryGroup = canLimitMemory
  ? ''
  : ' (skipped: this user may not make a memory control group of version 1)';

/** Of a test that was killed. One that is in use stays. */
function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (name.startsWith(prefix)) tryToRemove(join(parent, name));
  }
}

function tryToRemove(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (err) {
    return err instanceof Error && 'code' in err && err.code === 'ENOENT';
  }
}
