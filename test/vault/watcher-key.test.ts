// The key for a watcher on another machine, which whoever may read the vault's data directory makes with a command.
import { expect, test } from 'vitest';

import { startNode } from '../support/child-script.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';

async function runCommand(env: Record<string, string>) {
  await using script = startNode(['cli/vault-watcher-key.ts'], env);
  return await script.ended;
}

test.each(vaultDatabases)(
  'a command prints a key that may answer, beside the running vault on %s',
  async (kind) => {
    await using world = await startTestVault(kind);
    const { url } = world.database;
    const make = async (): Promise<string> => {
      const place = {
        VAULT_DATA_DIR: world.dataDir,
        ...(url === null ? {} : { DATABASE_URL: url }),
      };
      const { code, stdout, stderr } = await runCommand(place);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return stdout;
    };
    const first = await make();
    const { status, body } = await world.call(first, '/agents');
    expect(status).toBe(200);
    expect(body.data.map(({ name }: { name: string }) => name)).toEqual(['Claude']);
    const second = await make();
    expect(second).not.toBe(first);
    for (const key of [first, second]) expect((await world.call(key, '/agents')).status).toBe(200);
    expect((await world.call(second, '/users')).status).toBe(403);
  },
);

test('makes no other vault in a wrong directory', async () => {
  const { code, stdout, stderr } = await runCommand({ VAULT_DATA_DIR: '/nowhere' });
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe('there is no key: /nowhere/vault.db does not exist: start the vault first\n');
});
