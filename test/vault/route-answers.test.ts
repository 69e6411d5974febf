// Every route of the vault does what a good request asks for and answers as the document says (CV-01), writes it down once (CV-16),
// and does it once however often it is sent under one key.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { DocumentedOperation } from '../support/committed-api.ts';
import { deviations } from '../support/documented-call.ts';
import { vaultApi } from '../support/vault-api.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { goodRequests } from '../support/vault-good-requests.ts';
import type { GoodRequest } from '../support/vault-good-requests.ts';
import {
  permissionOf,
  setupRoute,
  startRouteWorld,
  takesHeader,
  takesJson,
  vaultRoutes,
} from '../support/vault-routes.ts';
import type { RouteWorld } from '../support/vault-routes.ts';

const usable = vaultRoutes.filter(({ name }) => name !== setupRoute);
const served = usable.filter(({ path }) => path.startsWith('/api/v1/'));
const mutating = usable.filter(({ method }) => method !== 'GET');
const reading = usable.filter(({ method }) => method === 'GET');

/** They take no Idempotency-Key. */
const withoutKey = [
  // They hold a password or a link, whose digest is not kept: the name, the link or the cookie is used up by the first one.
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/setup',
  'POST /api/v1/auth/accept-invitation',
  'POST /api/v1/auth/reset-password',
  'POST /api/v1/auth/login-link',
  'POST /api/v1/auth/password',
  'POST /api/v1/users',
  // Each cookie works once.
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/logout',
];

/** Their answer holds a secret and is not kept: a repetition is told so. */
const shownOnce = [
  'POST /api/v1/users/{user_id}/password-reset',
  'POST /api/v1/invitations',
  'POST /api/v1/keys',
  'POST /api/v1/keys/{key_id}/rotate',
];

test('there is a good request for every route, and for nothing else', () => {
  const names = vaultRoutes.map(({ name }) => name);
  expect(Object.keys(goodRequests).toSorted()).toEqual(names.toSorted());
});

describe.each(vaultDatabases)('on %s', (kind) => {
  let world: RouteWorld;

  beforeAll(async () => {
    world = await startRouteWorld(kind);
  });

  afterAll(() => world.close());

  const asAdmin = (route: DocumentedOperation, request: GoodRequest) =>
    world.send(route, request, { token: world.admin.token });

  test.each(served)('$name answers as it is documented', async (route) => {
    const answer = await asAdmin(route, await world.goodRequest(route));
    expect(deviations(vaultApi, route, answer)).toEqual([]);
    expect([String(answer.status), answer.text]).toEqual([
      Object.keys(route.operation.responses)[0],
      answer.text,
    ]);
    const isEnvelope = answer.body?.success === true && 'data' in answer.body;
    const documented = vaultApi.answerOf(route.operation, answer.status)?.content ?? {};
    const hasEnvelope = 'application/json' in documented;
    expect([isEnvelope, answer.status === 204]).toEqual([hasEnvelope, answer.text === '']);
  });

  test.each(mutating)('$name adds one row to the audit log', async (route) => {
    const request = await world.goodRequest(route);
    const before = await world.auditCount();
    const answer = await asAdmin(route, request);
    expect([answer.status, await world.auditCount()]).toEqual([expect.any(Number), before + 1]);
    expect(answer.status).toBeLessThan(300);
    const { items } = await world.vault.audit.list(world.vault.database.reads, {
      ...{ before: Number.MAX_SAFE_INTEGER, limit: 1 },
    });
    expect(items[0]).toMatchObject({ actorKind: 'user', address: '127.0.0.1' });
    // On the routes that ask for no token it is who signs in.
    const isAdmin = items[0]?.actorId === world.admin.userId;
    expect(isAdmin).toBe(permissionOf(route.operation) !== null);
    expect(items[0]?.resource).toBeTruthy();
  });

  test.each(reading)('$name adds nothing to the audit log', async (route) => {
    const request = await world.goodRequest(route);
    const before = await world.auditCount();
    expect((await asAdmin(route, request)).status).toBe(200);
    expect(await world.auditCount()).toBe(before);
  });

  test.each(mutating)('$name that is refused adds nothing to the audit log', async (route) => {
    const request = await world.goodRequest(route);
    const before = await world.auditCount();
    const answer = await asAdmin(route, spoilt(route, request));
    expect([400, 401]).toContain(answer.status);
    expect(deviations(vaultApi, route, answer)).toEqual([]);
    expect(await world.auditCount()).toBe(before);
  });

  describe('what is written down less often than it is done', () => {
    test('pieces of an answer: there are many, and they go when it is there', async () => {
      const agentId = await world.agent(world.admin.token);
      const { event_id: id } = await world.post(world.admin.token, agentId, {
        ...{ event_type: 'user_message', content: 'hello' },
      });
      const before = await world.auditCount();
      const delta = { event_type: 'assistant_delta', content: 'h', reply_to: id };
      await world.post(world.admin.token, agentId, delta);
      expect(await world.auditCount()).toBe(before);
    });

    test('the same status and the same health again: a watcher says every few seconds that all is as it was', async () => {
      const agentId = await world.agent(world.admin.token);
      const put = async (path: string, body: unknown): Promise<number> => {
        const before = await world.auditCount();
        await world.call(world.admin.token, path, { method: 'PUT', body });
        return (await world.auditCount()) - before;
      };
      const status = `/agents/${agentId}/status`;
      expect(await put(status, { status: 'online' })).toBe(1);
      expect(await put(status, { status: 'online' })).toBe(0);
      expect(await put(status, { status: 'working' })).toBe(1);
      expect(await put('/hosts/desk', { health: 'ok', load: 1 })).toBe(1);
      expect(await put('/hosts/desk', { health: 'ok', load: 2 })).toBe(0);
      expect(await put('/hosts/desk', { health: 'degraded' })).toBe(1);
    });
  });

  const keyedRoutes = vaultRoutes.filter((route) => takesHeader(route, 'Idempotency-Key'));

  test('every route that changes something takes an Idempotency-Key, but those named', () => {
    const names = vaultRoutes.filter(({ method }) => method !== 'GET').map(({ name }) => name);
    const taking = keyedRoutes.map(({ name }) => name);
    expect([...taking, ...withoutKey].toSorted()).toEqual(names.toSorted());
  });

  const secretive = keyedRoutes.filter(({ name }) => shownOnce.includes(name));

  test.each(secretive)(
    '$name is done once under one key, and its secret is shown once',
    async (route) => {
      const request = await world.goodRequest(route);
      const headers = { ...request.headers, 'idempotency-key': `key of "${route.name}"` };
      expect((await asAdmin(route, { ...request, headers })).status).toBe(201);
      const before = await world.auditCount();
      const again = await asAdmin(route, { ...request, headers });
      expect([again.status, again.body.error.code]).toEqual([409, 'conflict']);
      expect(deviations(vaultApi, route, again)).toEqual([]);
      expect(await world.auditCount()).toBe(before);
    },
  );

  test.each(keyedRoutes.filter((route) => !secretive.includes(route)))(
    '$name is done once under one key',
    async (route) => {
      const request = await world.goodRequest(route);
      const headers = { ...request.headers, 'idempotency-key': `key of "${route.name}"` };
      const [first, second] = [
        await asAdmin(route, { ...request, headers }),
        await asAdmin(route, { ...request, headers }),
      ];
      const before = await world.auditCount();
      const third = await asAdmin(route, { ...request, headers });
      expect(first.status).toBeLessThan(300);
      expect(first.headers.has('idempotent-replayed')).toBe(false);
      for (const again of [second, third]) {
        expect([again.status, again.text]).toEqual([first.status, first.text]);
        expect(again.headers.get('idempotent-replayed')).toBe('true');
        for (const name of ['etag', 'location']) {
          expect(again.headers.get(name)).toBe(first.headers.get(name));
        }
        expect(deviations(vaultApi, route, again)).toEqual([]);
      }
      expect(await world.auditCount()).toBe(before);
    },
  );

  test.each(keyedRoutes.filter(takesJson))(
    '$name under a key that was used for another body is 422',
    async (route) => {
      const request = await world.goodRequest(route);
      const headers = { ...request.headers, 'idempotency-key': 'twice' };
      expect((await asAdmin(route, { ...request, headers })).status).toBeLessThan(300);
      const body = anotherBody(route, request.body);
      const answer = await asAdmin(route, { ...request, headers, body });
      expect([answer.status, answer.body.error.code]).toEqual([422, 'idempotency_mismatch']);
      expect(deviations(vaultApi, route, answer)).toEqual([]);
    },
  );

  const guardedRoutes = vaultRoutes.filter((route) => takesHeader(route, 'If-Match'));

  test.each(guardedRoutes)('$name wants the version that was seen', async (route) => {
    const request = await world.goodRequest(route);
    const current = Number(request.headers?.['if-match']?.replaceAll('"', ''));
    const { 'if-match': _, ...without } = request.headers ?? {};
    const missing = await asAdmin(route, { ...request, headers: without });
    expect([missing.status, missing.body.error.code]).toEqual([428, 'precondition_required']);
    for (const seen of [current + 1, current - 1]) {
      const headers = { ...request.headers, 'if-match': `"${seen}"` };
      const stale = await asAdmin(route, { ...request, headers });
      expect(stale).toMatchObject({
        status: 412,
        body: { error: { code: 'precondition_failed', details: { current_version: current } } },
      });
      expect(deviations(vaultApi, route, stale)).toEqual([]);
    }
    for (const garbled of ['*', '"x"', '"1", "2"', '']) {
      const headers = { ...request.headers, 'if-match': garbled };
      expect((await asAdmin(route, { ...request, headers })).status).toBe(400);
    }
    expect((await asAdmin(route, request)).status).toBeLessThan(300);
  });
});

test.each(vaultDatabases)('on %s the first account is made as it is documented', async (kind) => {
  const route = vaultRoutes.find(({ name }) => name === setupRoute);
  if (route === undefined) throw new Error('there is no set-up');
  await using world = await startRouteWorld(kind, { withoutUsers: true });
  const request = await world.goodRequest(route);
  const before = await world.auditCount();
  const [answer, again] = [
    await world.send(route, request, { token: null }),
    await world.send(route, request, { token: null }),
  ];
  expect([answer.status, again.status]).toEqual([201, 409]);
  expect([answer, again].flatMap((each) => deviations(vaultApi, route, each))).toEqual([]);
  expect(await world.auditCount()).toBe(before + 1);
});

/** So that it is refused. */
function spoilt(route: DocumentedOperation, request: GoodRequest): GoodRequest {
  if (takesHeader(route, 'Idempotency-Key')) {
    return { ...request, headers: { ...request.headers, 'idempotency-key': '\u00e9' } };
  }
  if (takesJson(route)) return { ...request, body: { no_such_field: 1 } };
  return { ...request, headers: { cookie: 'gatehouse_refresh=none' } };
}

/** One that is good as well. */
function anotherBody({ name }: DocumentedOperation, body: unknown): unknown {
  const others: Record<string, unknown> = {
    'POST /api/v1/events/{event_id}/claim': { lease_secs: 61 },
    'POST /api/v1/events/{event_id}/claim/renew': { fence: 2 },
    'POST /api/v1/events/{event_id}/claim/release': { fence: 2 },
    'PUT /api/v1/agents/order': { agent_ids: [] },
    'PUT /api/v1/agents/{agent_id}/status': { status: 'error' },
    'PUT /api/v1/agents/{agent_id}/read': { seq: 2 },
    'POST /api/v1/agents/{agent_id}/events': { event_type: 'system', content: 'other' },
    'PUT /api/v1/hosts/{name}': { health: 'other' },
    'PATCH /api/v1/auth/me': { display_name: 'Other' },
    'PATCH /api/v1/users/{user_id}': { role: 'admin' },
    'POST /api/v1/invitations': { role: 'agent' },
    'POST /api/v1/keys/{key_id}/rotate': { overlap_secs: 61 },
  };
  return others[name] ?? { ...(body as object), name: 'Other' };
}
