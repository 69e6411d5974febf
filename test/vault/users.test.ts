// Accounts and invitations, as admins see to them.
import { describe, expect, test } from 'vitest';

import { createSteppingClock } from '../support/stepping-clock.ts';
import {
  auditOf,
  goodPassword,
  openBrowser,
  readToEnd,
  signedInBrowser,
  statusesOf,
} from '../support/vault-browser.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

const wanted = 'another horse battery';

function change(world: TestVault, token: string, userId: string, version: number, body: object) {
  const headers = { 'if-match': `"${version}"` };
  return world.call(token, `/users/${userId}`, { method: 'PATCH', body, headers });
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('an admin makes users, lists and changes them; nobody else sees them', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const body = { name: 'vera', role: 'viewer', password: goodPassword };
    const made = await world.call(ada.token, '/users', { body });
    expect(made).toMatchObject({
      status: 201,
      body: { data: { name: 'vera', display_name: 'vera', role: 'viewer', version: 1 } },
    });
    const { user_id: userId } = made.body.data;
    expect(made.headers.get('location')).toBe(`/api/v1/users/${userId}`);
    expect(made.text).not.toMatch(/argon|password/);
    expect((await world.call(ada.token, '/users', { body })).status).toBe(409);
    for (const wrong of [
      ...[{ name: 'Vera' }, { name: '' }, { name: 'a'.repeat(65) }, { role: 'root' }],
      ...[{ password: 'short' }, { password: 'vera' }, { display_name: '' }, { extra: 1 }],
    ]) {
      const bad = { ...body, name: 'other', ...wrong };
      expect((await world.call(ada.token, '/users', { body: bad })).status).toBe(400);
    }

    const path = `/users/${userId}`;
    expect((await world.call(ada.token, path)).headers.get('etag')).toBe('"1"');
    const nobody = '/users/user_00000000000000000000000000';
    expect((await world.call(ada.token, nobody)).status).toBe(404);
    expect((await change(world, ada.token, userId, 7, { role: 'agent' })).status).toBe(412);
    expect((await world.call(ada.token, path, { method: 'PATCH', body: {} })).status).toBe(400);
    const bare = { method: 'PATCH', body: { role: 'agent' } };
    expect((await world.call(ada.token, path, bare)).status).toBe(428);
    const changed = await change(world, ada.token, userId, 1, { role: 'agent' });
    expect(changed.body.data).toMatchObject({ role: 'agent', version: 2 });

    const page = await world.call(ada.token, '/users?limit=1');
    const rest = await world.call(ada.token, `/users?limit=1&after=${page.body.next}`);
    const both = [...page.body.data, ...rest.body.data];
    expect(both.map(({ name }: { name: string }) => name)).toEqual(['ada', 'vera']);
    expect(rest.body.next).toBeNull();

    for (const role of ['agent', 'viewer'] as const) {
      const { token, userId: own } = await world.person(role);
      for (const options of [
        ...[{ path: '/users' }, { path: '/users', body }, { path }, { path: '/invitations' }],
        ...[{ path: `${path}/password-reset`, method: 'POST' }],
        ...[{ path: '/invitations', body: { role: 'admin' } }],
        { path: `/users/${own}`, method: 'PATCH', body: { role: 'admin' } },
      ]) {
        expect((await world.call(token, options.path, options)).status).toBe(403);
      }
    }
    const key = await world.key(ada.userId);
    expect((await world.call(key.token, '/users')).status).toBe(403);
    expect((await auditOf(world)).map(({ action }) => action)).toEqual([
      'user.changed',
      'user.created',
    ]);
  });

  test('a disabled user is out at once, with every token and key, and back when enabled', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const browser = await signedInBrowser(world, 'agent', 'bob');
    const { userId } = browser;
    const key = await world.key(userId);
    const stream = await fetch(`${world.url}/api/v1/stream`, {
      headers: { authorization: `Bearer ${key.token}` },
    });
    expect(stream.status).toBe(200);

    expect((await change(world, ada.token, userId, 1, { disabled: true })).body.data).toMatchObject(
      { disabled: true, disabled_at: expect.any(String), version: 2 },
    );
    expect((await browser.call('/auth/me')).status).toBe(401);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
    expect((await world.call(key.token, '/agents')).status).toBe(401);
    const login = { name: 'bob', password: goodPassword };
    expect((await browser.post('/auth/login', login)).status).toBe(401);
    await readToEnd(stream);
    const reset = { method: 'POST' };
    const path = `/users/${userId}/password-reset`;
    expect((await world.call(ada.token, path, reset)).status).toBe(409);

    await change(world, ada.token, userId, 2, { disabled: false });
    expect((await browser.call('/auth/me')).status).toBe(401);
    expect((await browser.post('/auth/login', login)).status).toBe(200);
    expect((await world.call(key.token, '/agents')).status).toBe(200);
  });

  test('the last admin can be neither disabled nor demoted, also not by two at once', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    for (const body of [{ disabled: true }, { role: 'agent' }]) {
      expect(await change(world, ada.token, ada.userId, 1, body)).toMatchObject({
        status: 409,
        body: { error: { code: 'conflict' } },
      });
    }
    const bob = await world.person('admin', 'bob');
    const answers = await Promise.all([
      change(world, ada.token, bob.userId, 1, { disabled: true }),
      change(world, bob.token, ada.userId, 1, { role: 'viewer' }),
    ]);
    // Whoever comes second is either the last, or not let in any more.
    expect(statusesOf(answers).filter((status) => status === 200)).toHaveLength(1);
    const { reads } = world.vault.database;
    const admins = reads.selectFrom('users').select('name').where('role', '=', 'admin');
    expect(await admins.where('disabledAt', 'is', null).execute()).toHaveLength(1);
  });

  test('who is no admin any more has no way back in by an invitation made beforehand', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const bob = await world.person('admin', 'bob');
    const { body } = await world.call(bob.token, '/invitations', { body: { role: 'admin' } });
    await change(world, ada.token, bob.userId, 1, { role: 'agent' });
    const account = { token: body.data.token, name: 'bob2', password: goodPassword };
    expect((await openBrowser(world).post('/auth/accept-invitation', account)).status).toBe(401);
    expect((await world.call(ada.token, '/invitations')).body.data).toMatchObject([
      { state: 'revoked', created_by: bob.userId },
    ]);
    expect((await world.call(bob.token, '/users')).status).toBe(403);
  });

  test('a link to a new password works once, for a day, and signs out everywhere', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const browser = await signedInBrowser(world, 'viewer', 'vera');
    const ada = await world.person('admin', 'ada');
    const offer = async (): Promise<{ token: string; link: string }> => {
      const path = `/users/${browser.userId}/password-reset`;
      const answer = await world.call(ada.token, path, { method: 'POST' });
      expect(answer.status).toBe(201);
      return answer.body.data;
    };
    const reset = (token: string, password = wanted) =>
      world.call(null, '/auth/reset-password', { body: { token, password } });
    const [first, second] = [await offer(), await offer()];
    expect(second.link).toBe(`${world.url}/reset-password#${second.token}`);
    expect((await reset(first.token)).status).toBe(401);
    expect((await reset(second.token, 'vera')).status).toBe(400);
    expect((await browser.call('/auth/me')).status).toBe(200);
    const asInvitation = { token: second.token, name: 'eve', password: goodPassword };
    const wrongDoor = await openBrowser(world).post('/auth/accept-invitation', asInvitation);
    expect(wrongDoor.status).toBe(401);
    expect((await reset(second.token)).status).toBe(204);
    expect((await reset(second.token)).status).toBe(401);
    expect((await browser.call('/auth/me')).status).toBe(401);
    expect((await browser.post('/auth/refresh')).status).toBe(401);
    const login = (password: string) => browser.post('/auth/login', { name: 'vera', password });
    expect((await login(goodPassword)).status).toBe(401);
    expect((await login(wanted)).status).toBe(200);
    const late = await offer();
    clock.step(86_400_000 + 1000);
    expect((await reset(late.token)).status).toBe(401);
    const written = JSON.stringify([world.logged(), await auditOf(world)]);
    expect(written).not.toMatch(/cvl_|horse/);
  });

  test('an invitation makes one account, in its role, and signs it in', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const ada = await world.person('admin', 'ada');
    const invite = async (body: object) => {
      const answer = await world.call(ada.token, '/invitations', { body });
      expect(answer.status).toBe(201);
      return answer.body.data;
    };
    const made = await invite({ role: 'agent' });
    expect(made).toMatchObject({ role: 'agent', state: 'open', created_by: ada.userId });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(7 * 86_400_000);
    expect(made.link).toBe(`${world.url}/accept-invitation#${made.token}`);
    const accept = (token: string, name: string, browser = openBrowser(world)) =>
      browser.post('/auth/accept-invitation', { token, name, password: goodPassword });

    expect((await accept(made.token, 'ada')).status).toBe(409);
    const answers = await Promise.all([accept(made.token, 'bob'), accept(made.token, 'eve')]);
    expect(statusesOf(answers)).toEqual([201, 401]);
    const { data } = answers.find(({ status }) => status === 201)?.body ?? {};
    expect(data.user.role).toBe('agent');
    expect((await world.call(data.access_token, '/agents')).status).toBe(200);

    const revoked = await invite({ role: 'admin' });
    const path = `/invitations/${revoked.invitation_id}`;
    expect((await world.call(ada.token, path, { method: 'DELETE' })).status).toBe(204);
    expect((await world.call(ada.token, path, { method: 'DELETE' })).status).toBe(404);
    expect((await accept(revoked.token, 'carl')).status).toBe(401);
    const short = await invite({ role: 'viewer', expires_in_secs: 60 });
    const list = await world.call(ada.token, '/invitations');
    expect(list.body.data.map(({ state }: { state: string }) => state).toSorted()).toEqual([
      ...['open', 'revoked', 'used'],
    ]);
    expect(list.text).not.toContain('cvl_');
    clock.step(61_000);
    expect((await accept(short.token, 'carl')).status).toBe(401);
    await world.vault.people.removeOld(new AbortController().signal);
    expect((await world.call(ada.token, '/invitations')).body.data).toHaveLength(2);
    const wrong = { role: 'viewer', expires_in_secs: 0 };
    expect((await world.call(ada.token, '/invitations', { body: wrong })).status).toBe(400);
  });

  test('a request that made a secret is told so when it is repeated', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const headers = { 'idempotency-key': 'one' };
    const options = { body: { role: 'viewer' }, headers };
    expect((await world.call(ada.token, '/invitations', options)).status).toBe(201);
    expect((await world.call(ada.token, '/invitations', options)).status).toBe(409);
    expect((await world.call(ada.token, '/invitations')).body.data).toHaveLength(1);
    const body = { name: 'vera', role: 'viewer', password: goodPassword };
    expect((await world.call(ada.token, '/users', { body, headers })).status).toBe(201);
    expect((await world.call(ada.token, '/users', { body, headers })).status).toBe(409);
    const { reads } = world.vault.database;
    const kept = await reads.selectFrom('idempotencyKeys').select(['path', 'body']).execute();
    expect(kept).toEqual([{ path: 'POST /api/v1/invitations', body: null }]);
  });
});
