// Links that whoever may read the vault's data directory makes with a command.
import { describe, expect, test } from 'vitest';

import { startNode } from '../support/child-script.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';
import { auditOf, openBrowser, signedInBrowser } from '../support/vault-browser.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

const wanted = 'another horse battery';

async function runCommand(world: TestVault, path: string, args: string[]) {
  await using script = startNode([path, ...args], {
    VAULT_DATA_DIR: world.dataDir,
    VAULT_URL: 'https://vault.example/',
    ...(world.database.url === null ? {} : { DATABASE_URL: world.database.url }),
  });
  return await script.ended;
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('a command makes a link to a new password, beside the running vault', async () => {
    await using world = await startTestVault(kind);
    await signedInBrowser(world, 'viewer', 'vera');
    const run = (...args: string[]) => runCommand(world, 'cli/vault-reset-password.ts', args);
    const done = await run('vera');
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const [, token] =
      /^https:\/\/vault\.example\/reset-password#(cvl_\S+)$/m.exec(done.stdout) ?? [];
    const body = { token, password: wanted };
    expect((await world.call(null, '/auth/reset-password', { body })).status).toBe(204);
    const login = { name: 'vera', password: wanted };
    expect((await openBrowser(world).post('/auth/login', login)).status).toBe(200);
    const [row] = await auditOf(world, 'user.password_reset_offered');
    expect(row).toMatchObject({ actorKind: 'host' });
    expect(await world.vault.audit.verify(world.vault.database.reads)).toMatchObject({ ok: true });

    expect(await run('nobody')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'there is no link: there is no user named "nobody"\n',
    });
    expect(await run()).toMatchObject({ code: 1, stdout: '' });
  });

  test('another makes one that signs in: once, within an hour, while the account is open', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const vera = await signedInBrowser(world, 'viewer', 'vera');
    const run = (...args: string[]) => runCommand(world, 'cli/vault-sign-in-link.ts', args);
    const printed = await run('vera');
    expect(printed).toMatchObject({ code: 0, stderr: '' });
    const [, token] = /^https:\/\/vault\.example\/sign-in#(cvl_\S+)$/m.exec(printed.stdout) ?? [];
    const { links } = world.vault.people;
    const open = (linkToken: string | undefined, browser = openBrowser(world)) =>
      browser.post('/auth/login-link', { token: linkToken });
    const browser = openBrowser(world);
    expect(await open(token, browser)).toMatchObject({
      status: 200,
      body: { data: { token_type: 'Bearer', user: { name: 'vera' } } },
    });
    expect((await browser.call('/auth/me')).status).toBe(200);
    expect((await open(token)).status).toBe(401);
    const rows = [
      await auditOf(world, 'user.sign_in_link_offered'),
      (await auditOf(world, 'sign_in.begun')).slice(0, 1),
    ];
    expect(rows).toMatchObject([
      [{ actorKind: 'host', resource: `user:${vera.userId}` }],
      [{ actorKind: 'user', actorId: vera.userId, details: expect.stringContaining('link_id') }],
    ]);

    const offer = async (): Promise<string> => {
      const made = await world.vault.database.write((scope) => links.offerSignIn(scope, vera));
      return made.token;
    };
    const [earlier, later] = [await offer(), await offer()];
    expect((await open(earlier)).status).toBe(401);
    const ada = await world.person('admin', 'ada');
    const reset = await world.call(ada.token, `/users/${vera.userId}/password-reset`, {
      method: 'POST',
    });
    expect((await open(reset.body.data.token)).status).toBe(401);
    const set = async (disabled: boolean): Promise<void> => {
      const path = `/users/${vera.userId}`;
      const { version } = (await world.call(ada.token, path)).body.data;
      const headers = { 'if-match': `"${version}"` };
      const answer = await world.call(ada.token, path, {
        ...{ method: 'PATCH', headers, body: { disabled } },
      });
      expect(answer.status).toBe(200);
    };
    await set(true);
    expect((await open(later)).status).toBe(401);
    expect(await run('vera')).toMatchObject({
      code: 1,
      stderr: 'there is no link: vera is disabled: enable them first\n',
    });
    await set(false);
    expect((await open(later)).status).toBe(401);
    const late = await offer();
    clock.step(3_600_000 + 1000);
    expect((await open(late)).status).toBe(401);
    expect(JSON.stringify([world.logged(), await auditOf(world)])).not.toContain('cvl_');
  });
});
