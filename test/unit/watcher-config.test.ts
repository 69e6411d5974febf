import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { readConfig } from '../../watcher/config.ts';

const token = { WATCHER_GATEWAY_TOKEN: 'cf_token' };

test('a secret may stand in a file, and the variable itself counts more', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  writeFileSync(join(directory.path, 'key'), 'cv_prod_of_the_file\n');
  const read = (env: Record<string, string>) =>
    readConfig({ ...token, WATCHER_VAULT_KEY_FILE: 'key', ...env }, directory.path).secrets;
  expect(read({}).vaultKey).toBe('cv_prod_of_the_file');
  expect(read({ WATCHER_VAULT_KEY: 'cv_prod_of_its_own' }).vaultKey).toBe('cv_prod_of_its_own');
});

test('what is wrong with the file is said, and what stands in it is not', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'key');
  const read = () => readConfig({ ...token, WATCHER_VAULT_KEY_FILE: path }, directory.path);
  expect(read).toThrow(`WATCHER_VAULT_KEY_FILE: ${path} cannot be read (ENOENT)`);
  writeFileSync(path, 'two words\n');
  expect(read).toThrow('WATCHER_VAULT_KEY has a wrong value (not shown)');
  writeFileSync(path, '\n');
  expect(read).toThrow('WATCHER_VAULT_KEY is missing');
});
