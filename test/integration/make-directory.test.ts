import { mkdtempDisposableSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { makeDirectory } from '#shared/make-directory.ts';

test('makes what is missing with the mode, and is content with what is there', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'a', 'b');
  await makeDirectory(path, 0o700);
  await makeDirectory(path, 0o700);
  expect(statSync(path).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory.path, 'a')).mode & 0o777).toBe(0o700);
});

test('a file in the way and a place where nothing can be made are errors, not a hang', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  writeFileSync(join(directory.path, 'file'), '');
  await expect(makeDirectory(join(directory.path, 'file'), 0o700)).rejects.toThrow('EEXIST');
  await expect(makeDirectory('/proc/nowhere/deep', 0o700)).rejects.toThrow('ENOENT');
});
