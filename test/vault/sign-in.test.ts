// Signing in, staying so, and signing out, as a browser does it.
import { rm } from 'node:fs/promises';

import { hash } from '@node-rs/argon2';
import { describe, expect, test } from 'vitest';

import { createSteppingClock } from '../support/stepping-clock.ts';
import { auditOf, goodPassword, openBrowser, signedInBrowser } from '../support/vault-browser.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe.each(vaultDatabases)('on %s', (kind) => {
  test('a name and a password give an access token and two cookies', async () => {
    await using world = await startTestVault(kind);
    await signedInBrowser(world, 'viewer', 'vera');
    const answer = await openBrowser(world).post('/auth/login', {
      name: 'vera',
      password: goodPassword,
    });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        success: true,
        data: { token_type: 'Bearer', expires_in_secs: 1800, user: { name: 'vera' } },
      },
    });
    const { csrf_token: csrf, access_token: token, expires_at: expiresAt } = answer.body.data;
    expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(1_700_000);
    const [refresh = '', page = ''] = answer.headers.getSetCookie();
    expect(refresh).toMatch(
      /^gatehouse_refresh=cvr_.{48}; Max-Age=604800; Path=\/api\/v1\/auth; HttpOnly; SameSite=Strict$/,
    );
    expect(page).toBe(`gatehouse_csrf=${csrf}; Max-Age=604800; Path=/; SameSite=Strict`);
    expect((await world.call(token, '/agents')).status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const written = JSON.stringify([world.logged(), await auditOf(world)]);
    expect(written).not.toMatch(/cvr_|eyJ|horse/);
    expect(written).not.toContain(csrf);
  });

  test('cookies are Secure behind a trusted proxy that was reached by HTTPS, and only there', async () => {
    await using direct = await startTestVault(kind);
    const env = { TRUSTED_PROXIES: '127.0.0.1/32', ALLOW_CIDRS: '192.168.0.0/16' };
    await using proxied = await startTestVault(kind, { env });
    const secure = async (world: typeof direct, scheme: string): Promise<boolean[]> => {
      const headers = { 'x-forwarded-for': '192.168.1.7', 'x-forwarded-proto': scheme };
      const body = { name: 'vera', password: goodPassword };
      const answer = await world.call(null, '/auth/login', { body, headers });
      return answer.headers.getSetCookie().map((line) => line.includes('; Secure'));
    };
    await signedInBrowser(direct, 'viewer', 'vera');
    await signedInBrowser(proxied, 'viewer', 'vera');
    expect(await secure(direct, 'https')).toEqual([false, false]);
    expect(await secure(proxied, 'https')).toEqual([true, true]);
    expect(await secure(proxied, 'http')).toEqual([false, false]);
  });

  test('a refresh gives the next token, and the one before that comes again ends all of it', async () => {
    await using world = await startTestVault(kind);
    const browser = await signedInBrowser(world, 'viewer', 'vera');
    const elsewhere = openBrowser(world);
    await elsewhere.post('/auth/login', { name: 'vera', password: goodPassword });
    const thief = browser.copy();

    expect((await browser.post('/auth/refresh')).status).toBe(200);
    expect((await browser.post('/auth/refresh')).status).toBe(200);
    expect((await browser.call('/auth/me')).status).toBe(200);
    expect(await thief.post('/auth/refresh')).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthorized' } },
    });
    expect((await browser.call('/auth/me')).status).toBe(401);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
    expect((await thief.post('/auth/refresh')).status).toBe(401);
    expect((await elsewhere.post('/auth/refresh')).status).toBe(200);
    expect((await elsewhere.call('/auth/me')).status).toBe(200);
    expect(await auditOf(world, 'sign_in.reuse_detected')).toHaveLength(1);
    expect(await auditOf(world, 'sign_in.refreshed')).toHaveLength(3);
    expect(await world.vault.audit.verify(world.vault.database.reads)).toMatchObject({ ok: true });
  });

  test('of many refreshes at once with the same token one wins', async () => {
    await using world = await startTestVault(kind);
    const browser = await signedInBrowser(world, 'viewer', 'vera');
    const copies = Array.from({ length: 8 }, () => browser.copy());
    const answers = await Promise.all(copies.map((copy) => copy.post('/auth/refresh')));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
    expect(await auditOf(world, 'sign_in.reuse_detected')).toHaveLength(1);
    const winner = answers.find(({ status }) => status === 200);
    expect((await world.call(winner?.body.data.access_token, '/auth/me')).status).toBe(401);
  });

  test('a request that cannot show the CSRF token changes nothing', async () => {
    await using world = await startTestVault(kind);
    const browser = await signedInBrowser(world, 'viewer', 'vera');
    const cookie = `gatehouse_refresh=${browser.cookies.get('gatehouse_refresh')}`;
    const post = (path: string, headers: Record<string, string>) =>
      world.call(null, path, { method: 'POST', headers });
    for (const path of ['/auth/refresh', '/auth/logout']) {
      expect((await post(path, { cookie })).status).toBe(403);
      expect((await post(path, { cookie, 'x-csrf-token': 'wrong' })).status).toBe(403);
      expect((await post(path, {})).status).toBe(401);
      const garbled = { cookie: 'gatehouse_refresh=cvr_x', 'x-csrf-token': 'x' };
      expect((await post(path, garbled)).status).toBe(401);
      const foreign = { cookie, origin: 'http://evil.example' };
      expect((await post(path, foreign)).status).toBe(403);
    }
    expect((await browser.post('/auth/refresh')).status).toBe(200);
    expect((await browser.post('/auth/logout')).status).toBe(204);
    expect(browser.cookies.size).toBe(0);
    expect((await browser.call('/auth/me')).status).toBe(401);
    expect((await post('/auth/refresh', { cookie, 'x-csrf-token': 'x' })).status).toBe(403);
  });

  test('an access token ends after half an hour, a sign-in seven days after its last refresh', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const browser = await signedInBrowser(world, 'viewer', 'vera');
    const late = browser.copy();
    clock.step(29 * 60_000);
    expect((await browser.call('/auth/me')).status).toBe(200);
    clock.step(61_000);
    expect((await browser.call('/auth/me')).status).toBe(401);
    clock.step(6 * dayMs + 23 * hourMs - 30 * 60_000 - 1000);
    expect((await browser.post('/auth/refresh')).status).toBe(200);
    expect((await browser.call('/auth/me')).status).toBe(200);
    clock.step(6 * dayMs + 23 * hourMs);
    expect((await browser.post('/auth/refresh')).status).toBe(200);
    clock.step(7 * dayMs + 1000);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
    expect((await late.post('/auth/refresh')).status).toBe(401);
    // Neither was a theft.
    expect(await auditOf(world, 'sign_in.reuse_detected')).toEqual([]);

    await world.vault.people.removeOld(new AbortController().signal);
    const { reads } = world.vault.database;
    expect(await reads.selectFrom('refreshTokens').selectAll().execute()).toEqual([]);
    const left = await reads.selectFrom('refreshFamilies').select('userId').execute();
    expect(left.map(({ userId }) => userId)).not.toContain(browser.userId);
  });

  test('tokens outlive a restart', async () => {
    const database = await createTestDatabase(kind);
    const before = await startTestVault(kind, { database, keep: true });
    const browser = await signedInBrowser(before, 'viewer', 'vera');
    const { body } = await browser.post('/auth/refresh');
    await before.close();
    const { dataDir } = before;
    await using world = await startTestVault(kind, { database, dataDir, keep: true });
    expect((await world.call(body.data.access_token, '/auth/me')).status).toBe(200);
    expect((await openBrowser(world, browser.cookies).post('/auth/refresh')).status).toBe(200);
    await world.close();
    await database[Symbol.asyncDispose]();
    await rm(dataDir, { recursive: true });
  });

  test('a wrong name and a wrong password are told apart by nothing', async () => {
    await using world = await startTestVault(kind);
    await signedInBrowser(world, 'viewer', 'vera');
    const admin = await world.person('admin');
    const gone = await signedInBrowser(world, 'viewer', 'gone');
    const disable = { method: 'PATCH', body: { disabled: true }, headers: { 'if-match': '1' } };
    await world.call(admin.token, `/users/${gone.userId}`, disable);

    const attempt = (name: string, password: string) =>
      world.call(null, '/auth/login', { body: { name, password } });
    const refused = [
      await attempt('vera', 'wrong horse battery'),
      await attempt('nobody', 'wrong horse battery'),
      await attempt('gone', goodPassword),
      await attempt('not a name!', goodPassword),
    ];
    for (const { status, body, headers } of refused) {
      expect(status).toBe(401);
      expect(body.error).toEqual(refused[0]?.body.error);
      expect(headers.getSetCookie()).toEqual([]);
    }
    const fastest = async (name: string): Promise<number> => {
      let best = Infinity;
      for (let count = 0; count < 4; count += 1) {
        const begin = performance.now();
        await attempt(name, `wrong ${count} battery`);
        best = Math.min(best, performance.now() - begin);
      }
      return best;
    };
    const [known, unknown] = [await fastest('vera'), await fastest('nobody2')];
    expect(unknown).toBeGreaterThan(known / 3);
    expect(known).toBeGreaterThan(unknown / 3);
    const lines = world.logged().filter(({ msg }) => msg === 'sign-in refused');
    expect(lines.length).toBe(12);
    expect(JSON.stringify(lines)).not.toMatch(/vera|nobody|battery/);
  });

  test('guessing is slowed where it comes from, and the owner signs in from elsewhere', async () => {
    const env = { TRUSTED_PROXIES: '127.0.0.1/32', ALLOW_CIDRS: '192.168.0.0/16' };
    await using world = await startTestVault(kind, { env });
    await signedInBrowser(world, 'viewer', 'vera');
    const attempt = (password: string, address: string) => {
      const headers = { 'x-forwarded-for': address };
      return world.call(null, '/auth/login', { body: { name: 'vera', password }, headers });
    };
    for (let count = 0; count < 5; count += 1) {
      expect((await attempt(`wrong ${count} battery`, '192.168.1.66')).status).toBe(401);
    }
    const slowed = await attempt(goodPassword, '192.168.1.66');
    expect(slowed).toMatchObject({
      status: 429,
      body: { error: { code: 'too_many_attempts', retryable: true } },
    });
    expect(slowed.headers.get('retry-after')).toBe('1');
    expect((await attempt(goodPassword, '192.168.1.10')).status).toBe(200);
  });

  test('a hash of earlier costs is made anew when its user signs in', async () => {
    await using world = await startTestVault(kind);
    const { userId } = await signedInBrowser(world, 'viewer', 'vera');
    const cheap = await hash(goodPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 });
    const { database } = world.vault;
    await database.write(async ({ db }) => {
      const change = db.updateTable('users').set({ passwordHash: cheap });
      await change.where('userId', '=', userId).execute();
    });
    const login = { name: 'vera', password: goodPassword };
    expect((await openBrowser(world).post('/auth/login', login)).status).toBe(200);
    const { passwordHash } = await database.reads
      .selectFrom('users')
      .select('passwordHash')
      .where('userId', '=', userId)
      .executeTakeFirstOrThrow();
    expect(passwordHash).toMatch(/^\$argon2id\$v=19\$m=19456,/);
    expect((await openBrowser(world).post('/auth/login', login)).status).toBe(200);
  });
});
