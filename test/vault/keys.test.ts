// Keys for programs: what they may do, for how long, and who sees to them.
import { describe, expect, test } from 'vitest';

import { createSteppingClock } from '../support/stepping-clock.ts';
import { auditOf, readToEnd } from '../support/vault-browser.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

async function makeKey(world: TestVault, token: string, body: object) {
  const answer = await world.call(token, '/keys', { body });
  if (answer.status !== 201) throw new Error(`no key: ${answer.text}`);
  return answer.body.data;
}

const withVersion = (version: number) => ({ 'if-match': `"${version}"` });

describe.each(vaultDatabases)('on %s', (kind) => {
  test('a key is shown once, works as Bearer, and has the rights of its maker', async () => {
    await using world = await startTestVault(kind);
    const vera = await world.person('viewer', 'vera');
    const made = await world.call(vera.token, '/keys', { body: { name: 'reader' } });
    expect(made).toMatchObject({
      status: 201,
      body: {
        data: {
          ...{ name: 'reader', kind: 'prod', owner_id: vera.userId, agents: null, version: 1 },
          ...{ scopes: ['self:read', 'agents:read', 'events:read', 'hosts:read'] },
          ...{ key: expect.stringMatching(/^cv_prod_.{48}$/), expires_at: null },
        },
      },
    });
    const { key, key_id: keyId } = made.body.data;
    expect(made.headers.get('location')).toBe(`/api/v1/keys/${keyId}`);
    expect((await world.call(key, '/agents')).status).toBe(200);
    expect((await world.call(key, '/agents', { body: { name: 'x' } })).status).toBe(403);
    const path = `/keys/${keyId}`;
    for (const [method, where] of [
      ...[
        ['GET', '/keys'],
        ['POST', '/keys'],
        ['GET', path],
        ['PATCH', path],
      ],
      ...[
        ['POST', `${path}/rotate`],
        ['DELETE', path],
        ['GET', '/users'],
        ['GET', '/auth/audit'],
      ],
    ] as const) {
      expect((await world.call(key, where, { method, headers: withVersion(1) })).status).toBe(403);
    }
    const dev = await makeKey(world, vera.token, { name: 'dev', kind: 'dev' });
    expect(dev.key).toMatch(/^cv_dev_/);
    const list = await world.call(vera.token, '/keys');
    expect(list.body.data.map(({ name }: { name: string }) => name).toSorted()).toEqual([
      ...['dev', 'reader'],
    ]);
    expect(list.text).not.toMatch(/cv_prod_|cv_dev_/);
    const written = JSON.stringify([world.logged(), await auditOf(world)]);
    expect(written).not.toMatch(/cv_prod_|cv_dev_/);
  });

  test('nobody gives a key what they have not: rights, agents, speed', async () => {
    await using world = await startTestVault(kind, { env: { VAULT_RATE_PER_MINUTE: '600' } });
    const bob = await world.person('agent', 'bob');
    const ada = await world.person('admin', 'ada');
    const agent = await world.agent(bob.token);
    const make = (token: string, body: object) =>
      world.call(token, '/keys', { body: { name: 'key', ...body } });
    for (const [status, body] of [
      ...[[403, { scopes: ['audit:read'] }] as const, [403, { scopes: ['users:manage'] }] as const],
      ...[[400, { scopes: ['events:eat'] }] as const, [400, { scopes: [] }] as const],
      ...[
        [400, { agents: [] }] as const,
        [400, { agents: ['agent_00000000000000000000000000'] }] as const,
      ],
      ...[[403, { rate_per_minute: 601 }] as const, [403, { rate_burst: 11 }] as const],
      ...[[400, { rate_per_minute: 0 }] as const, [400, { kind: 'test' }] as const],
      ...[[400, { expires_in_secs: 0 }] as const, [400, { owner_id: ada.userId }] as const],
    ]) {
      expect({ ...body, status: (await make(bob.token, body)).status }).toEqual({
        ...body,
        status,
      });
    }
    expect((await make(ada.token, { scopes: ['keys:manage'] })).status).toBe(403);
    const fast = await makeKey(world, ada.token, { name: 'fast', rate_per_minute: 6000 });
    expect(fast).toMatchObject({ rate_per_minute: 6000, rate_burst: 10 });
    expect((await world.call(fast.key, '/agents')).headers.get('x-ratelimit-limit')).toBe('6010');

    const other = await world.agent(bob.token);
    const bound = await makeKey(world, bob.token, { name: 'bound', agents: [agent] });
    const listed = (await world.call(bound.key, '/agents')).body.data;
    expect(listed.map(({ agent_id: id }: { agent_id: string }) => id)).toEqual([agent]);
    expect((await world.call(bound.key, `/agents/${other}`)).status).toBe(404);
    expect((await make(bob.token, { name: 'bound' })).status).toBe(409);
  });

  test('when its maker is demoted a key loses rights on the next request', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const bob = await world.person('agent', 'bob');
    const { key } = await makeKey(world, bob.token, { name: 'writer' });
    expect((await world.call(key, '/agents', { body: { name: 'one' } })).status).toBe(201);
    const demote = { method: 'PATCH', body: { role: 'viewer' }, headers: withVersion(1) };
    expect((await world.call(ada.token, `/users/${bob.userId}`, demote)).status).toBe(200);
    expect((await world.call(key, '/agents', { body: { name: 'two' } })).status).toBe(403);
    expect((await world.call(bob.token, '/agents', { body: { name: 'two' } })).status).toBe(403);
    expect((await world.call(key, '/agents')).status).toBe(200);
  });

  test('a development key does not open a production instance', async () => {
    await using world = await startTestVault(kind, { env: { VAULT_PRODUCTION: 'true' } });
    const { token } = await world.person('agent');
    const dev = await makeKey(world, token, { name: 'dev', kind: 'dev' });
    const prod = await makeKey(world, token, { name: 'prod' });
    expect((await world.call(dev.key, '/agents')).status).toBe(403);
    expect((await world.call(prod.key, '/agents')).status).toBe(200);
  });

  test('of a rotated key both work until the overlap is over', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const { token } = await world.person('agent', 'bob');
    const first = await makeKey(world, token, { name: 'watcher' });
    const path = `/keys/${first.key_id}`;
    const works = async (key: string) => (await world.call(key, '/agents')).status;

    const rotated = await world.call(token, `${path}/rotate`, { method: 'POST' });
    expect(rotated.status).toBe(201);
    const second = rotated.body.data;
    const aheadMs = Date.parse(second.previous_valid_until) - clock.now();
    expect(aheadMs).toBeGreaterThan(3_590_000);
    expect(aheadMs).toBeLessThanOrEqual(3_600_000);
    expect(second).toMatchObject({ key_id: first.key_id, name: 'watcher', version: 1 });
    expect([await works(first.key), await works(second.key)]).toEqual([200, 200]);
    clock.step(3_600_000 + 1000);
    // The access token is over as well: the owner signs in anew.
    const { token: again } = await world.person('admin');
    expect([await works(first.key), await works(second.key)]).toEqual([401, 200]);

    const body = { overlap_secs: 0 };
    const third = (await world.call(again, `${path}/rotate`, { body })).body.data;
    expect([await works(second.key), await works(third.key)]).toEqual([401, 200]);
    const wrong = { body: { overlap_secs: -1 } };
    expect((await world.call(again, `${path}/rotate`, wrong)).status).toBe(400);
    expect((await auditOf(world)).map(({ action }) => action)).toEqual([
      ...['key.rotated', 'key.rotated', 'key.created'],
    ]);
    await world.vault.people.removeOld(new AbortController().signal);
    const { reads } = world.vault.database;
    expect(await reads.selectFrom('keySecrets').selectAll().execute()).toHaveLength(1);
    expect(await works(third.key)).toBe(200);
  });

  test('the stream of a key that was rotated ends with the overlap', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const { token } = await world.person('agent', 'bob');
    const agent = await world.agent(token);
    const made = await makeKey(world, token, { name: 'watcher' });
    const open = (key: string) =>
      fetch(`${world.url}/api/v1/stream`, { headers: { authorization: `Bearer ${key}` } });
    const [old, bound] = [await open(made.key), await open(made.key)];
    expect([old.status, bound.status]).toEqual([200, 200]);
    await world.call(token, `/keys/${made.key_id}/rotate`, { method: 'POST' });
    const { token: fresh } = await world.person('agent');
    clock.step(3_600_000 + 1000);
    const { token: late } = await world.person('agent');
    expect(fresh).not.toBe(late);
    await world.post(late, agent, { event_type: 'user_message', content: 'not for the old key' });
    expect(await readToEnd(old)).not.toContain('not for the old key');
    expect(await readToEnd(bound)).not.toContain('not for the old key');
  });

  test('a key ends when it expires, when it is revoked, and its stream when it is for less', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const { token } = await world.person('agent', 'bob');
    const [agent, other] = [await world.agent(token), await world.agent(token)];
    const short = await makeKey(world, token, { name: 'short', expires_in_secs: 60 });
    const made = await makeKey(world, token, { name: 'long' });
    clock.step(61_000);
    expect((await world.call(short.key, '/agents')).status).toBe(401);

    const stream = await fetch(`${world.url}/api/v1/stream`, {
      headers: { authorization: `Bearer ${made.key}` },
    });
    const path = `/keys/${made.key_id}`;
    const patch = (version: number, body: object) =>
      world.call(token, path, { method: 'PATCH', body, headers: withVersion(version) });
    expect((await world.call(token, path, { method: 'PATCH', body: { name: 'x' } })).status).toBe(
      428,
    );
    expect((await patch(9, { name: 'x' })).status).toBe(412);
    expect((await patch(1, { scopes: ['audit:read'] })).status).toBe(403);
    expect((await patch(1, { rate_per_minute: 1_000_000 })).status).toBe(200);
    const changed = await patch(2, { name: 'bound', agents: [agent], scopes: ['events:read'] });
    expect(changed.body.data).toMatchObject({ name: 'bound', agents: [agent], version: 3 });
    // Within about a second; what is posted then is not for it any more.
    await readToEnd(stream);
    await world.post(token, other, { event_type: 'user_message', content: 'not for this key' });
    expect((await world.call(made.key, '/agents')).status).toBe(403);
    expect((await patch(3, { agents: null })).body.data).toMatchObject({ agents: null });

    const remove = (version: number) =>
      world.call(token, path, { method: 'DELETE', headers: withVersion(version) });
    expect((await remove(3)).status).toBe(412);
    expect((await remove(4)).status).toBe(204);
    expect((await world.call(made.key, `/agents/${agent}/events`)).status).toBe(401);
    expect((await remove(4)).status).toBe(404);
    expect((await world.call(token, path)).status).toBe(404);
    // Its name is free.
    await makeKey(world, token, { name: 'bound' });
  });

  test('the keys of somebody else are there for those who manage keys only', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin', 'ada');
    const bob = await world.person('agent', 'bob');
    const eve = await world.person('agent', 'eve');
    const { key_id: keyId, key } = await makeKey(world, bob.token, { name: 'bobs' });
    await makeKey(world, ada.token, { name: 'adas' });
    const path = `/keys/${keyId}`;
    for (const [method, where, body] of [
      ...[['GET', path] as const, ['DELETE', path] as const, ['POST', `${path}/rotate`] as const],
      ['PATCH', path, { name: 'eves' }] as const,
    ]) {
      const options = { method, headers: withVersion(1), ...(body === undefined ? {} : { body }) };
      expect((await world.call(eve.token, where, options)).status).toBe(404);
    }
    const names = async (token: string, query = '') => {
      const { body } = await world.call(token, `/keys${query}`);
      return body.data.map(({ name }: { name: string }) => name).toSorted();
    };
    expect(await names(eve.token)).toEqual([]);
    expect(await names(bob.token)).toEqual(['bobs']);
    expect(await names(ada.token)).toEqual(['adas', 'bobs']);
    expect(await names(ada.token, `?owner=${bob.userId}`)).toEqual(['bobs']);
    expect((await world.call(eve.token, `/keys?owner=${bob.userId}`)).status).toBe(403);
    const page = await world.call(ada.token, '/keys?limit=1');
    const rest = await world.call(ada.token, `/keys?limit=1&after=${page.body.next}`);
    expect([...page.body.data, ...rest.body.data]).toHaveLength(2);
    expect(rest.body.next).toBeNull();

    const patch = { method: 'PATCH', headers: withVersion(1), body: { scopes: ['audit:read'] } };
    // Not even an admin gives a key more than its owner has.
    expect((await world.call(ada.token, path, patch)).status).toBe(403);
    const remove = { method: 'DELETE', headers: withVersion(1) };
    expect((await world.call(ada.token, path, remove)).status).toBe(204);
    expect((await world.call(key, '/agents')).status).toBe(401);
  });

  test('sixty requests a minute and a burst of ten, each for themselves', async () => {
    await using world = await startTestVault(kind, { env: { VAULT_RATE_PER_MINUTE: '60' } });
    const [bob, eve] = [await world.person('agent', 'bob'), await world.person('agent', 'eve')];
    const { key } = await makeKey(world, eve.token, {
      name: 'slow',
      rate_per_minute: 1,
      rate_burst: 1,
    });
    const answers = await Promise.all(
      Array.from({ length: 71 }, () => world.call(bob.token, '/auth/me')),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(70);
    expect(refused).toMatchObject([{ body: { error: { code: 'rate_limited', retryable: true } } }]);
    const wait = refused[0]?.headers.get('retry-after') ?? '';
    expect(wait).toMatch(/^\d+$/);
    expect(Number(wait)).toBeLessThanOrEqual(60);
    expect((await world.call(eve.token, '/auth/me')).status).toBe(200);
    const slow: number[] = [];
    for (let count = 0; count < 3; count += 1)
      slow.push((await world.call(key, '/auth/me')).status);
    expect(slow).toEqual([200, 200, 429]);
    expect((await world.call(null, '/health/live')).status).toBe(200);
  });
});
