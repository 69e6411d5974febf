import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { expect, test } from 'vitest';

import {
  identify,
  isAlive,
  pidsSince,
  processesMarked,
} from '../../gateway/sandbox/process-table.ts';

function marked(mayBe?: (pid: number) => boolean): number[] {
  return processesMarked('MARK', (value) => value === 'process-table', mayBe);
}

test('a process is known by its number and its start, and gone when it has ended', async () => {
  const child = spawn('sleep', ['60'], { env: { MARK: 'process-table' } });
  await once(child, 'spawn');
  const identity = identify(child.pid ?? 0);
  if (identity === null) throw new Error('no such process');
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTime: '1' })).toBe(false);
  await expect.poll(() => marked()).toEqual([child.pid]);
  expect(marked(pidsSince(child.pid ?? 0))).toEqual([child.pid]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(isAlive(identity)).toBe(false);
  expect(marked()).toEqual([]);
});

test('of the pids since one was given out, older processes are none', async () => {
  const child = spawn('true');
  const pid = child.pid ?? 0;
  await once(child, 'exit');
  const isSince = pidsSince(pid);
  expect(isSince(pid)).toBe(true);
  expect(isSince(1)).toBe(false);
});
