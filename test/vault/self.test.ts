// What people do with their own account.
import { describe, expect, test } from 'vitest';

import { goodPassword, openBrowser, signedInBrowser } from '../support/vault-browser.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';

const wanted = 'another horse battery';

describe.each(vaultDatabases)('on %s', (kind) => {
  test('everybody sees who they are and what they may do, a key as well', async () => {
    await using world = await startTestVault(kind);
    const vera = await world.person('viewer', 'vera');
    const me = await world.call(vera.token, '/auth/me');
    expect(me.body.data).toEqual({
      principal: {
        ...{ kind: 'user', id: vera.userId, name: 'vera', role: 'viewer' },
        ...{ owner_id: vera.userId, agents: null },
      },
      permissions: [
        ...['self:read', 'self:write', 'keys:own', 'agents:read', 'events:read', 'hosts:read'],
      ],
      user: expect.objectContaining({ user_id: vera.userId, display_name: 'vera', version: 1 }),
      sign_in_id: vera.familyId,
      expires_at: expect.any(String),
    });
    expect(me.headers.get('etag')).toBe('"1"');
    const key = await world.key(vera.userId);
    expect((await world.call(key.token, '/auth/me')).body.data).toMatchObject({
      principal: { kind: 'key', id: key.keyId, owner_id: vera.userId, role: 'viewer' },
      permissions: ['self:read', 'agents:read', 'events:read', 'hosts:read'],
      ...{ user: null, sign_in_id: null, expires_at: null },
    });
    const mute = await world.key(vera.userId, { scopes: ['events:read'] });
    expect((await world.call(mute.token, '/auth/me')).status).toBe(403);
    expect((await world.call(null, '/auth/me')).status).toBe(401);
  });

  test('a name to be shown is changed by whoever has seen it, and by no key', async () => {
    await using world = await startTestVault(kind);
    const vera = await world.person('viewer', 'vera');
    const change = (token: string, version: string | null, displayName = 'Vera V.') =>
      world.call(token, '/auth/me', {
        method: 'PATCH',
        body: { display_name: displayName },
        headers: version === null ? {} : { 'if-match': version },
      });
    expect((await change(vera.token, null)).status).toBe(428);
    expect((await change(vera.token, '"9"')).status).toBe(412);
    expect((await change(vera.token, '"1"', ' ')).status).toBe(400);
    const changed = await change(vera.token, '"1"');
    expect(changed.body.data).toMatchObject({ display_name: 'Vera V.', version: 2 });
    expect(changed.headers.get('etag')).toBe('"2"');
    const key = await world.key(vera.userId);
    for (const [method, path] of [
      ...[['PATCH', '/auth/me'] as const, ['POST', '/auth/password'] as const],
      ...[
        ['GET', '/auth/sign-ins'] as const,
        ['GET', '/keys'] as const,
        ['POST', '/keys'] as const,
      ],
    ]) {
      expect((await world.call(key.token, path, { method })).status).toBe(403);
    }
  });

  test('a new password ends the other sign-ins and the links to another one', async () => {
    await using world = await startTestVault(kind);
    const here = await signedInBrowser(world, 'viewer', 'vera');
    const there = openBrowser(world);
    await there.post('/auth/login', { name: 'vera', password: goodPassword });
    const { token: admin } = await world.person('admin');
    const reset = { method: 'POST' };
    const link = await world.call(admin, `/users/${here.userId}/password-reset`, reset);

    const change = (current: string, next: string) =>
      here.call('/auth/password', { body: { current_password: current, new_password: next } });
    expect(await change('wrong horse battery', wanted)).toMatchObject({
      status: 403,
      body: { error: { details: { field: 'current_password' } } },
    });
    expect(await change(goodPassword, 'short')).toMatchObject({
      status: 400,
      body: { error: { details: { field: 'new_password' } } },
    });
    expect((await there.call('/auth/me')).status).toBe(200);
    expect((await change(goodPassword, wanted)).status).toBe(204);
    expect((await there.call('/auth/me')).status).toBe(401);
    expect((await there.post('/auth/refresh')).status).toBe(401);
    expect((await here.call('/auth/me')).status).toBe(200);
    expect((await here.post('/auth/refresh')).status).toBe(200);
    const body = { token: link.body.data.token, password: 'yet another battery' };
    expect((await world.call(null, '/auth/reset-password', { body })).status).toBe(401);
    const login = (password: string) => there.post('/auth/login', { name: 'vera', password });
    expect((await login(goodPassword)).status).toBe(401);
    expect((await login(wanted)).status).toBe(200);
  });

  test('who guesses at the current password with a stolen token is slowed', async () => {
    await using world = await startTestVault(kind);
    const browser = await signedInBrowser(world, 'viewer', 'vera');
    const guess = (count: number) =>
      browser.call('/auth/password', {
        body: { current_password: `wrong ${count} battery`, new_password: wanted },
      });
    for (let count = 0; count < 5; count += 1) expect((await guess(count)).status).toBe(403);
    expect((await guess(5)).status).toBe(429);
  });

  test('sign-ins are listed and ended by whoever has them', async () => {
    await using world = await startTestVault(kind);
    const here = await signedInBrowser(world, 'viewer', 'vera');
    const there = openBrowser(world);
    const login = { name: 'vera', password: goodPassword };
    await there.post('/auth/login', login, { 'user-agent': 'a phone' });
    const { body } = await here.call('/auth/sign-ins');
    expect(body.data).toHaveLength(2);
    const phone = body.data.find((each: { user_agent: string }) => each.user_agent === 'a phone');
    expect(phone).toMatchObject({ address: '127.0.0.1', is_current: false });
    const path = `/auth/sign-ins/${phone.sign_in_id}`;
    const page = await here.call('/auth/sign-ins?limit=1');
    const rest = await here.call(`/auth/sign-ins?limit=1&after=${page.body.next}`);
    expect([...page.body.data, ...rest.body.data]).toEqual(body.data);
    expect(rest.body.next).toBeNull();

    const other = await world.person('admin');
    const remove = { method: 'DELETE' };
    expect((await world.call(other.token, path, remove)).status).toBe(404);
    expect((await there.call('/auth/me')).status).toBe(200);
    expect((await here.call(path, remove)).status).toBe(204);
    expect((await there.call('/auth/me')).status).toBe(401);
    expect((await here.call(path, remove)).status).toBe(404);
    expect((await here.call('/auth/sign-ins')).body.data).toMatchObject([{ is_current: true }]);
  });
});
