// What every route of the vault refuses before it looks at what is asked: AA-01, AA-03, AA-04, AA-05, AA-07.
import { createHmac, createPublicKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readConfig } from '../../vault/config.ts';
import { mint } from '../../vault/identity/secret-text.ts';
import type { DocumentedOperation } from '../support/committed-api.ts';
import { deviations } from '../support/documented-call.ts';
import { addressForms, forwardingHeaders, tokenParameters } from '../support/door-forms.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';
import { vaultApi } from '../support/vault-api.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import {
  freshAddress,
  permissionOf,
  startRouteWorld,
  vaultRoutes,
} from '../support/vault-routes.ts';
import type { GoodRequest, RouteWorld, Sender } from '../support/vault-routes.ts';

const closed = vaultRoutes.filter(({ operation }) => permissionOf(operation) !== null);

/** Whatever is refused leaves all as it was: one request for each route is enough. */
function keepRequests(world: () => RouteWorld) {
  const requests = new Map<string, Promise<GoodRequest>>();
  return async (route: DocumentedOperation): Promise<GoodRequest> => {
    const request = requests.get(route.name) ?? world().goodRequest(route);
    requests.set(route.name, request);
    return request;
  };
}

describe('at the door', () => {
  const clock = createSteppingClock();
  let world: RouteWorld;
  const requestTo = keepRequests(() => world);

  beforeAll(async () => {
    world = await startRouteWorld('sqlite', { clock });
  });

  afterAll(() => world.close());

  const refused = async (route: DocumentedOperation, authorization: string | null) => {
    const request = await requestTo(route);
    const sent = { 'x-request-id': 'same', ...(authorization === null ? {} : { authorization }) };
    const headers = { ...request.headers, ...sent };
    return world.send(route, { ...request, headers }, { token: null, from: freshAddress() });
  };

  describe('AA-01', () => {
    let wrong: Record<string, string>;
    let refusal: string;

    beforeAll(async () => {
      wrong = await wrongTokens(world, clock.step);
      const [route] = closed;
      if (route === undefined) throw new Error('there are no routes');
      refusal = (await refused(route, null)).text;
    });

    test.each(closed)('$name gives one answer to every wrong token', async (route) => {
      const right = world.admin.token;
      const headers = [
        null,
        ...Object.values(wrong).map((token) => `Bearer ${token}`),
        ...[right, `Basic ${right}`, `Bearer${right}`, `Bearer x ${right}`, 'Bearer'],
      ];
      for (const authorization of headers) {
        const answer = await refused(route, authorization);
        expect([authorization?.slice(0, 80), answer.status]).toEqual([
          authorization?.slice(0, 80),
          401,
        ]);
        expect(answer.text).toBe(refusal);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(deviations(vaultApi, route, answer)).toEqual([]);
      }
    });

    test('wrong tokens are limited by address, a right one never is', async () => {
      const [route] = closed;
      if (route === undefined) throw new Error('there are no routes');
      const from = freshAddress();
      const statuses: number[] = [];
      for (let attempt = 0; attempt < 35; attempt += 1) {
        statuses.push((await world.send(route, {}, { token: 'wrong', from })).status);
      }
      expect(statuses.indexOf(429)).toBe(30);
      expect(new Set(statuses)).toEqual(new Set([401, 429]));
      const request = await requestTo(route);
      const right = await world.send(route, request, { token: world.admin.token, from });
      expect(right.status).toBe(200);
    });

    test('nothing of a wrong token is in the log', () => {
      const log = JSON.stringify(world.logged());
      const texts = Object.entries(wrong).filter(([, token]) => token.length > 20);
      const found = texts.filter(([, token]) => log.includes(token.slice(-20)));
      expect(found.map(([name]) => name)).toEqual([]);
    });
  });

  test.each(vaultRoutes)('AA-04: $name is told nothing by a header', async (route) => {
    const request = await requestTo(route);
    for (const name of forwardingHeaders) {
      const headers = { ...request.headers, [name]: '127.0.0.1' };
      const sender = { token: world.admin.token, from: '10.0.0.1' };
      const answer = await world.send(route, { ...request, headers }, sender);
      expect([name, answer.status]).toEqual([name, 403]);
      expect(deviations(vaultApi, route, answer)).toEqual([]);
    }
  });

  test.each(vaultRoutes)('AA-07: $name takes no token in its URL', async (route) => {
    const request = await requestTo(route);
    const sender = { token: world.admin.token, from: '127.0.0.1' };
    const secrets = [world.admin.token, mint('prod_key'), mint('refresh'), mint('link')];
    const queries = [
      ...tokenParameters.map((name) => `${name}=canary-value`),
      ...secrets.flatMap((secret) => [`x=${secret}`, secret]),
    ];
    for (const query of queries) {
      const answer = await world.send(route, { ...request, query }, sender);
      expect([query, answer.status, answer.body?.error?.details]).toEqual([
        ...[query, 400, { field: 'query' }],
      ]);
    }
    const [secret = ''] = secrets;
    const headers = { ...request.headers, referer: `http://localhost/?x=${secret}` };
    const answer = await world.send(route, { ...request, headers }, sender);
    expect(answer.status).toBe(400);
    const log = JSON.stringify(world.logged());
    expect(['canary-value', ...secrets].filter((each) => log.includes(each))).toEqual([]);
  });

  test('a foreign name and a foreign page are refused everywhere', async () => {
    for (const route of vaultRoutes) {
      const request = await requestTo(route);
      const statusOf = async (headers: Record<string, string>) =>
        (
          await world.send(
            route,
            { ...request, headers: { ...request.headers, ...headers } },
            { token: world.admin.token, from: '127.0.0.1' },
          )
        ).status;
      const statuses = [
        await statusOf({ host: 'evil.example' }),
        await statusOf({ origin: 'http://evil.example' }),
        await statusOf({ origin: 'null' }),
      ];
      expect([route.name, ...statuses]).toEqual([route.name, 421, 403, 403]);
    }
  });
});

describe('AA-05: with ALLOW_CIDRS=192.168.1.0/24', () => {
  let world: RouteWorld;
  const requestTo = keepRequests(() => world);

  beforeAll(async () => {
    world = await startRouteWorld('sqlite', { env: { ALLOW_CIDRS: '192.168.1.0/24' } });
  });

  afterAll(() => world.close());

  test.each(vaultRoutes)('$name is for the addresses of the list', async (route) => {
    const request = await requestTo(route);
    for (const [from, status] of addressForms) {
      // Without a token: who gets as far as being asked for one was let in.
      const answer = await world.send(route, request, { token: null, from });
      const isRefused = answer.status === 403;
      expect([from, isRefused]).toEqual([from, status === 403]);
      const isAsked = answer.status === 401 || permissionOf(route.operation) === null;
      expect([from, isRefused || isAsked]).toEqual([from, true]);
    }
  });

  test.each(['/0x18', '10.0.0.0/ 24', '10.0.0.0/33', '::/129', '192.168.1'])(
    'ALLOW_CIDRS=%s is no list to start with',
    (text) => {
      expect(() => readConfig({ ALLOW_CIDRS: text }, '/')).toThrow('ALLOW_CIDRS');
    },
  );
});

describe.each(vaultDatabases)('AA-03 on %s: a key that is bound to one agent', (kind) => {
  let world: RouteWorld;
  let own: string;
  let bound: Sender;
  const secret = 'of another agent';

  beforeAll(async () => {
    world = await startRouteWorld(kind);
    own = await world.agent(world.admin.token, 'own');
    const { token } = await world.key(world.admin.userId, { agents: [own] });
    bound = { token };
  });

  afterAll(() => world.close());

  const withId = vaultRoutes.filter(
    (route) => /\{(agent|event|attachment)_id\}/.test(route.path) && isForKeys(route),
  );

  test.each(withId)('finds nothing of another with $name', async (route) => {
    const request = await world.goodRequest(route);
    const before = await world.auditCount();
    const answer = await world.send(route, request, { ...bound, from: '127.0.0.1' });
    expect([answer.status, answer.body.error.code]).toEqual([404, 'not_found']);
    expect(deviations(vaultApi, route, answer)).toEqual([]);
    expect(await world.auditCount()).toBe(before);
    const unknown = await world.send(route, withUnknownIds(request), {
      ...bound,
      from: '127.0.0.1',
    });
    expect(unknown.status).toBe(404);
  });

  const others = closed.filter((route) => !withId.includes(route) && isForKeys(route));

  test.each(others)('sees nothing of another with $name', async (route) => {
    const agentId = await world.agent(world.admin.token, `${secret}: ${route.name}`);
    await world.post(world.admin.token, agentId, { event_type: 'system', content: secret });
    await world.post(world.admin.token, own, { event_type: 'system', content: 'own' });
    const answer = await world.send(route, await world.goodRequest(route), bound);
    expect([200, 403]).toContain(answer.status);
    expect(answer.text).not.toContain(secret);
    expect(answer.text).not.toContain(agentId);
  });

  test('does with its own agent what its scopes name', async () => {
    const agentId = own;
    const event = { event_type: 'assistant_message', content: 'hello' };
    expect(
      (await world.call(bound.token, `/agents/${agentId}/events`, { body: event })).status,
    ).toBe(201);
    const { body } = await world.call(bound.token, '/agents');
    expect(body.data.map((agent: { agent_id: string }) => agent.agent_id)).toEqual([own]);
    const order = await world.call(bound.token, '/agents/order');
    expect(order.body.data.agent_ids).toEqual([own]);
  });

  test('makes no other agent, and is told that it may not', async () => {
    const answer = await world.call(bound.token, '/agents', { body: { name: 'Another' } });
    expect([answer.status, answer.body.error.code]).toEqual([403, 'forbidden']);
  });

  test('does not see an event that concerns no agent', async () => {
    const { headers } = await world.call(world.admin.token, '/agents/order');
    const put = { method: 'PUT', body: { agent_ids: [] } };
    const version = headers.get('etag') ?? '';
    await world.call(world.admin.token, '/agents/order', {
      ...put,
      headers: { 'if-match': version },
    });
    const { eventId } = await world.vault.database.reads
      .selectFrom('events')
      .select('eventId')
      .where('agentId', 'is', null)
      .executeTakeFirstOrThrow();
    expect((await world.call(world.admin.token, `/events/${eventId}`)).status).toBe(200);
    expect((await world.call(bound.token, `/events/${eventId}`)).status).toBe(404);
  });

  test('an Idempotency-Key is of whoever sends it', async () => {
    const other = await world.person('admin');
    const headers = { 'idempotency-key': 'shared' };
    const post = (token: string, name: string) =>
      world.call(token, '/agents', { body: { name }, headers });
    const first = await post(world.admin.token, 'First');
    const second = await post(other.token, 'Second');
    expect([first.status, second.status]).toEqual([201, 201]);
    await world.post(world.admin.token, own, { event_type: 'system', content: 'x' }, 'mine');
    const path = `/agents/${own}/events?idempotency_key=mine`;
    expect((await world.call(world.admin.token, path)).body.data).toHaveLength(1);
    expect((await world.call(other.token, path)).body.data).toEqual([]);
    expect((await world.call(bound.token, path)).body.data).toEqual([]);
  });
});

function isForKeys({ operation: { security = [] } }: DocumentedOperation): boolean {
  return security.some((each) => 'apiKey' in each);
}

function withUnknownIds(request: GoodRequest): GoodRequest {
  const values = Object.entries(request.values ?? {}).map(([name, id]) => [
    name,
    `${id.slice(0, -4)}zzzz`,
  ]);
  return { ...request, values: Object.fromEntries(values) };
}

/** By what is wrong with them. */
async function wrongTokens(
  world: RouteWorld,
  step: (ms: number) => void,
): Promise<Record<string, string>> {
  const { admin, vault } = world;
  const { userId, familyId } = admin;
  const revoked = await world.key(userId);
  const over = await world.key(userId);
  const now = new Date().toISOString();
  await vault.database.write(async ({ db }) => {
    const revoke = db.updateTable('apiKeys').set({ revokedAt: now });
    await revoke.where('keyId', '=', revoked.keyId).execute();
    const end = db.updateTable('apiKeys').set({ expiresAt: now });
    await end.where('keyId', '=', over.keyId).execute();
  });
  step(-31 * 60_000);
  const expired = await vault.accessTokens.sign({ userId, familyId, realm: 'main' });
  step(31 * 60_000);
  const [header = '', payload = '', signature = ''] = admin.token.split('.');
  const known = JSON.parse(Buffer.from(header, 'base64url').toString()) as object;
  const symmetric = encode({ ...known, alg: 'HS256' });
  const pem = await publicPem(world.dataDir);
  const mac = createHmac('sha256', pem).update(`${symmetric}.${payload}`).digest('base64url');
  return {
    ...{ revoked: revoked.token, over: over.token, expired: expired.token },
    ...{ unknown: mint('prod_key'), refresh: mint('refresh'), link: mint('link') },
    'alg none': `${encode({ ...known, alg: 'none' })}.${payload}.`,
    'alg none, signed': `${encode({ ...known, alg: 'none' })}.${payload}.${signature}`,
    'HS256 with the public key': `${symmetric}.${payload}.${mac}`,
    'another kid': `${encode({ ...known, kid: 'other' })}.${payload}.${signature}`,
    'other claims': `${header}.${encode({ sub: userId, sid: familyId })}.${signature}`,
    ...{ garbage: 'garbage', cut: admin.token.slice(0, -1), long: `${admin.token}x` },
    ...{ prefix: 'cv_prod_', multibyte: 'cv_prod_é'.repeat(40), latin: 'ÿ'.repeat(100) },
    ...{ tab: 'a\tb', two: `${admin.token}, ${admin.token}`, large: 'x'.repeat(2 ** 20) },
    'large JWT': `${header}.${'x'.repeat(2 ** 20)}.${signature}`,
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function publicPem(dataDir: string): Promise<string> {
  const directory = join(dataDir, 'vault-keys');
  for (const file of await readdir(directory)) {
    const text = await readFile(join(directory, file), 'utf8');
    if (text.includes('PRIVATE KEY')) {
      return createPublicKey(text).export({ type: 'spki', format: 'pem' }).toString();
    }
  }
  throw new Error('there is no key');
}
