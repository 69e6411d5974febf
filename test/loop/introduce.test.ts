// What gives the watcher its key and its token where the services run apart.
import { mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { startNode } from '../support/child-script.ts';
import { testAdminToken } from '../support/gateway-environment.ts';
import { startLoopWorld } from '../support/loop-world.ts';

async function startWorld() {
  const opened = new AsyncDisposableStack();
  const world = opened.use(await startLoopWorld());
  const { path } = opened.use(mkdtempDisposableSync(join(tmpdir(), 'gatehouse-introduce-')));
  const files = { key: join(path, 'key'), token: join(path, 'token') };
  const { vault, gateway } = world;
  const urls = { WATCHER_VAULT_URL: vault.url, WATCHER_GATEWAY_URL: gateway.url };
  const places = { VAULT_DATA_DIR: vault.dataDir, GATEWAY_DATA_DIR: gateway.dataDir };
  return {
    files,
    async introduce(args: string[] = [], env: Record<string, string> = {}) {
      await using script = startNode(['cli/introduce.ts', ...args], {
        ...{ ...urls, ...places, ADMIN_BOOTSTRAP_TOKEN: testAdminToken },
        ...{ WATCHER_VAULT_KEY_FILE: files.key, WATCHER_GATEWAY_TOKEN_FILE: files.token, ...env },
      });
      return await script.ended;
    },
    /** Whether the vault takes the key, and the gateway the token. */
    async taken() {
      return [
        await statusFor(`${vault.url}/api/v1/agents`, files.key),
        await statusFor(`${gateway.url}/me`, files.token),
      ];
    },
    secrets: () => [readFileSync(files.key, 'utf8'), readFileSync(files.token, 'utf8')],
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function statusFor(url: string, file: string): Promise<number> {
  const headers = { authorization: `Bearer ${readFileSync(file, 'utf8').trim()}` };
  return (await fetch(url, { headers })).status;
}

test('makes both once, for the watcher alone, and others when it is told to', async () => {
  await using world = await startWorld();
  expect(await world.introduce()).toMatchObject({ code: 0, stderr: '' });
  expect(await world.taken()).toEqual([200, 200]);
  const modes = Object.values(world.files).map((file) => statSync(file).mode & 0o777);
  expect(modes).toEqual([0o600, 0o600]);
  const first = world.secrets();

  const again = await world.introduce();
  expect(again.stdout).toBe(
    'the watcher has its token of the gateway\nthe watcher has its key of the vault',
  );
  expect(world.secrets()).toEqual(first);

  const renewed = await world.introduce(['--renew']);
  expect(renewed.stdout).toBe(
    'the watcher has a new token of the gateway\nthe watcher has a new key of the vault',
  );
  expect(world.secrets()).not.toEqual(first);
  expect(await world.taken()).toEqual([200, 200]);
  for (const secret of [...first, ...world.secrets()]) {
    expect(renewed.stdout).not.toContain(secret.trim());
  }
});

test('makes another key for a vault that does not know the kept one, and leaves the token alone', async () => {
  await using world = await startWorld();
  await world.introduce();
  const [, token] = world.secrets();
  writeFileSync(world.files.key, 'cv_prod_of_a_vault_that_was\n');
  const { code, stdout } = await world.introduce();
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout:
      'the watcher has its token of the gateway\n' +
      'the watcher has a new key of the vault, which does not know the old one',
  });
  expect(await world.taken()).toEqual([200, 200]);
  expect(world.secrets()[1]).toBe(token);
});

test('makes no key where the vault is elsewhere and one was given', async () => {
  await using world = await startWorld();
  const elsewhere = { WATCHER_VAULT_KEY: 'cv_prod_given', WATCHER_VAULT_URL: 'http://127.0.0.1:1' };
  const { code, stdout } = await world.introduce([], { ...elsewhere, VAULT_DATA_DIR: '/nowhere' });
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: 'the watcher has a new token of the gateway\nthe watcher has its own key of the vault',
  });
  expect(() => statSync(world.files.key)).toThrow('ENOENT');
});
