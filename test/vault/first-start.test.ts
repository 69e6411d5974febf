// How a new vault gets its first admin.
import { describe, expect, test } from 'vitest';

import { createSteppingClock } from '../support/stepping-clock.ts';
import { auditOf, goodPassword, openBrowser, statusesOf } from '../support/vault-browser.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';

const base = 'http://vault.lan:8700/';

function tokenOf(link: string | null): string {
  const [, token = ''] = /^http:\/\/vault\.lan:8700\/setup#(cvl_.{48})$/.exec(link ?? '') ?? [];
  return token;
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('the link of the last start makes the admin, once, and signs in', async () => {
    await using world = await startTestVault(kind);
    const earlier = tokenOf(await world.vault.offerSetup(base));
    const token = tokenOf(await world.vault.offerSetup(base));
    expect(token).not.toBe('');
    const account = { name: 'ada', display_name: 'Ada', password: goodPassword };
    const browser = openBrowser(world);

    const setUp = (body: object) => browser.post('/auth/setup', { ...account, ...body });
    expect((await setUp({ token: earlier })).status).toBe(401);
    expect((await setUp({ token: 'nonsense' })).status).toBe(401);
    expect(await setUp({ token, password: 'short' })).toMatchObject({
      status: 400,
      body: { success: false, error: { details: { field: 'password' } } },
    });
    expect((await setUp({ token, name: 'Ada L' })).status).toBe(400);
    expect(browser.cookies.size).toBe(0);

    const made = await setUp({ token });
    expect(made).toMatchObject({
      status: 201,
      body: { data: { token_type: 'Bearer', user: { name: 'ada', role: 'admin' } } },
    });
    expect((await browser.call('/users')).body.data).toMatchObject([
      { name: 'ada', display_name: 'Ada', role: 'admin', disabled: false },
    ]);
    expect((await setUp({ token, name: 'eve' })).status).toBe(409);
    expect(await world.vault.offerSetup(base)).toBeNull();
    expect((await auditOf(world, 'setup.done')).map(({ actorName }) => actorName)).toEqual(['ada']);
    expect(JSON.stringify([world.logged(), await auditOf(world)])).not.toMatch(/cvl_|cvr_|horse/);
  });

  test('of two who use the link at once one becomes admin', async () => {
    await using world = await startTestVault(kind);
    const token = tokenOf(await world.vault.offerSetup(base));
    const answers = await Promise.all(
      ['ada', 'eve'].map((name) =>
        openBrowser(world).post('/auth/setup', { token, name, password: goodPassword }),
      ),
    );
    expect(statusesOf(answers)).toEqual([201, 409]);
  });

  test.each([
    ['is good for a day', 86_400_000 - 600_000, 201],
    ['is over after a day', 86_400_000 + 1000, 401],
  ])('the link %s', async (_name, laterMs, status) => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const token = tokenOf(await world.vault.offerSetup(base));
    clock.step(laterMs);
    const body = { token, name: 'ada', password: goodPassword };
    expect((await openBrowser(world).post('/auth/setup', body)).status).toBe(status);
  });

  test('guesses at links are slowed', async () => {
    await using world = await startTestVault(kind);
    await world.vault.offerSetup(base);
    const body = { token: 'cvl_guess', name: 'eve', password: goodPassword };
    let last = await world.call(null, '/auth/setup', { body });
    for (let count = 0; count < 30; count += 1) {
      expect(last.status).toBe(401);
      last = await world.call(null, '/auth/setup', { body });
    }
    expect(last).toMatchObject({ status: 429, body: { error: { code: 'too_many_attempts' } } });
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
