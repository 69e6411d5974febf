import { mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { createStagedLogin } from '../../gateway/claude/staged-login.ts';

function credentials(accessToken: string, expiresAt: number): string {
  return JSON.stringify({ claudeAiOauth: { accessToken, refreshToken: 'dummy', expiresAt } });
}

async function login() {
  const root = await mkdtemp(join(tmpdir(), 'login-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const configDir = join(root, '.');
  const stagedDir = join(root, 'staged');
  const original = join(configDir, '.credentials.json');
  const staged = join(stagedDir, '.credentials.json');
  const open = () => createStagedLogin({ configDir, stagedDir, runUid: null });
  return { root, original, staged, stagedDir, open, ...open() };
}

test('runs see the credentials file of the login and nothing else of it', async () => {
  const { root, original, staged, stagedDir, synchronise } = await login();
  await writeFile(join(root, 'history.jsonl'), 'private');
  await writeFile(original, credentials('first', 1000));
  expect(await synchronise()).toBe(1000);
  expect(await readdir(stagedDir)).toEqual(['.credentials.json']);
  expect(await readFile(staged, 'utf8')).toBe(credentials('first', 1000));
  expect((await stat(staged)).mode & 0o777).toBe(0o600);
});

test('a refresh by a run is carried back to the login', async () => {
  const { original, staged, synchronise } = await login();
  await writeFile(original, credentials('first', 1000), { mode: 0o600 });
  await synchronise();
  await rm(staged);
  await writeFile(staged, credentials('refreshed', 2000));
  expect(await synchronise()).toBe(2000);
  expect(await readFile(original, 'utf8')).toBe(credentials('refreshed', 2000));
  expect((await stat(original)).mode & 0o777).toBe(0o600);
});

test('a new sign-in wins over what a run has refreshed', async () => {
  const { original, staged, synchronise } = await login();
  await writeFile(original, credentials('first', 1000));
  await synchronise();
  await writeFile(staged, credentials('refreshed', 2000));
  await writeFile(original, credentials('signed in again', 1500));
  expect(await synchronise()).toBe(1500);
  expect(await readFile(staged, 'utf8')).toBe(credentials('signed in again', 1500));
});

test('a refresh that a crash left behind is carried back after the restart', async () => {
  const { original, staged, open, synchronise } = await login();
  await writeFile(original, credentials('used up', 1000));
  await synchronise();
  await writeFile(staged, credentials('refreshed', 2000));
  expect(await open().synchronise()).toBe(2000);
  expect(await readFile(original, 'utf8')).toBe(credentials('refreshed', 2000));
});

test.each([
  ['garbage', 'not json'],
  ['a file without a token', '{"claudeAiOauth":{}}'],
  ['a file of 100 KB', credentials('x'.repeat(100_000), 9000)],
])('%s that a run left is not carried back', async (_name, content) => {
  const { original, staged, synchronise } = await login();
  await writeFile(original, credentials('first', 1000));
  await synchronise();
  await writeFile(staged, content);
  expect(await synchronise()).toBe(1000);
  expect(await readFile(original, 'utf8')).toBe(credentials('first', 1000));
  expect(await readFile(staged, 'utf8')).toBe(credentials('first', 1000));
});

test('a symbolic link that a run planted is not followed', async () => {
  const { root, original, staged, synchronise } = await login();
  const secret = join(root, 'secret.json');
  await writeFile(secret, credentials('secret', 9000));
  await writeFile(original, credentials('first', 1000));
  await synchronise();
  await rm(staged);
  await symlink(secret, staged);
  await synchronise();
  expect(await readFile(original, 'utf8')).toBe(credentials('first', 1000));
  expect(await readFile(secret, 'utf8')).toBe(credentials('secret', 9000));
  expect((await stat(staged)).isFile()).toBe(true);
});

test('a login that is gone is gone for runs as well', async () => {
  const { original, stagedDir, synchronise } = await login();
  await writeFile(original, credentials('first', 1000));
  await synchronise();
  await rm(original);
  expect(await synchronise()).toBeNull();
  expect(await readdir(stagedDir)).toEqual([]);
});
