import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { StartError } from '#shared/errors.ts';
import { acquireInstanceLock } from '#shared/instance-lock.ts';

import { startScript } from '../support/child-script.ts';

const holder = `
  import { acquireInstanceLock } from './shared/instance-lock.ts';
  acquireInstanceLock(process.env.LOCK);
  console.log('holding');
  process.stdin.resume();
`;

test('a second instance is refused with the directory, and kill -9 frees the lock', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'lock');
  await using first = startScript(holder, { LOCK: path });
  await first.said('holding');
  expect(() => acquireInstanceLock(path)).toThrow(StartError);
  expect(() => acquireInstanceLock(path)).toThrow(
    `another instance is running on the data directory ${directory.path}`,
  );
  await using second = startScript(holder, { LOCK: path });
  expect(await second.ended).toMatchObject({ code: 1 });
  expect(first.child.exitCode).toBeNull();

  first.child.kill('SIGKILL');
  await first.ended;
  acquireInstanceLock(path).release();
});

test('a released lock can be taken again, in the same process', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'lock');
  const lock = acquireInstanceLock(path);
  expect(() => acquireInstanceLock(path)).toThrow(/another instance/);
  lock.release();
  lock.release();
  acquireInstanceLock(path).release();
});

test('a lock file that is something else is named', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'lock');
  writeFileSync(path, 'x'.repeat(5000));
  expect(() => acquireInstanceLock(path)).toThrow(path);
});
