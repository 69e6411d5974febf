// CV-15: every kind of caller on every route, as the route declares.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { createHttpServer } from '#shared/http-server.ts';
import { createLog } from '#shared/log.ts';

import { installVaultDoor } from '../../vault/access/vault-door.ts';
import { mint } from '../../vault/identity/secret-text.ts';
import { can } from '../../vault/permission/can.ts';
import { keyScopes } from '../../vault/permission/key-scope.ts';
import type { Permission } from '../../vault/permission/permission.ts';
import type { Principal } from '../../vault/permission/principal.ts';
import { roles } from '../../vault/permission/role.ts';
import type { Role } from '../../vault/permission/role.ts';
import { pagePaths } from '../../vault/routes/page-routes.ts';
import type { DocumentedOperation } from '../support/committed-api.ts';
import { deviations } from '../support/documented-call.ts';
import { vaultApi } from '../support/vault-api.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import type { GoodRequest } from '../support/vault-good-requests.ts';
import {
  freshAddress,
  isStream,
  permissionOf,
  setupRoute,
  startRouteWorld,
  vaultRoutes,
} from '../support/vault-routes.ts';
import type { RouteWorld, Sender } from '../support/vault-routes.ts';
import { realm } from '../support/vault-world.ts';

type Caller = {
  /** Null for nobody, or somebody who is nobody any more. */
  principal: Principal | null;
  sender: () => Sender;
};

const callers = [
  ...roles.map((role) => ({ caller: role })),
  ...roles.map((role) => ({ caller: `a key of ${role} with all scopes` })),
  { caller: 'a key of admin without scopes' },
  { caller: 'a disabled admin' },
  { caller: 'a key of a disabled admin' },
  { caller: 'an admin whose sign-in has ended' },
  { caller: 'a revoked key of admin' },
  { caller: 'nobody' },
];

/** Routes that ask for more than they declare: what a good request needs in the end. */
const needs: Readonly<Record<string, Permission>> = {
  // The door asks for what everybody has who may post anything; each type of event has its own permission.
  'POST /api/v1/agents/{agent_id}/events': 'events:write',
};

const rights = vaultRoutes.filter(({ operation }) => permissionOf(operation) !== null);
const open = vaultRoutes.filter(({ operation }) => permissionOf(operation) === null);

test('most routes ask who it is, and those that do not are known', () => {
  expect(rights.length).toBeGreaterThan(open.length);
  expect(open.map(({ name }) => name)).toEqual([
    ...['login', 'refresh', 'logout', 'setup', 'accept-invitation', 'reset-password'].map(
      (last) => `POST /api/v1/auth/${last}`,
    ),
    'POST /api/v1/auth/login-link',
    'GET /api/v1/health/live',
    'GET /api/v1/health/ready',
    'GET /api/openapi.json',
  ]);
});

describe.each(vaultDatabases)('on %s', (kind) => {
  let world: RouteWorld;
  let known: Map<string, Caller>;

  beforeAll(async () => {
    world = await startRouteWorld(kind);
    known = await makeCallers(world);
  });

  afterAll(() => world.close());

  const requests = new Map<string, Promise<GoodRequest>>();
  const unused = async (route: DocumentedOperation): Promise<GoodRequest> => {
    const request = requests.get(route.name) ?? world.goodRequest(route);
    requests.set(route.name, request);
    return request;
  };

  test('every route of the API is in the document, and all others are the page', () => {
    const urls = routesOf(world.vault.app.printRoutes({ commonPrefix: false }));
    const ofApi = urls.filter((url) => url.startsWith('/api/') && !url.startsWith('/api/docs'));
    const documented = new Set(vaultRoutes.map(({ path }) => path.replaceAll(/\{(\w+)\}/g, ':$1')));
    expect(ofApi.toSorted()).toEqual([...documented].toSorted());
    const others = urls.filter((url) => !url.startsWith('/api/'));
    expect(new Set(others)).toEqual(new Set([...pagePaths, '/gate.svg', '/assets/:name']));
  });

  describe.each(callers)('$caller', ({ caller }) => {
    test.each(rights)('on $name', async (route) => {
      const { principal, sender } = found(known.get(caller));
      const expected = expectedStatus(route, principal);
      // A refused request leaves all as it was.
      const { token, ...from } = sender();
      const request = await (expected === 'done' ? world.goodRequest(route, token) : unused(route));
      const answer = await world.send(route, request, { token, ...from });
      expect([answer.status < 300 ? 'done' : answer.status, answer.text]).toEqual([
        expected,
        answer.text,
      ]);
      expect(deviations(vaultApi, route, answer)).toEqual([]);
    });
  });

  test.each(open.filter(({ name }) => name !== setupRoute))(
    '$name asks nobody for a token, and looks at none',
    async (route) => {
      for (const token of [null, 'garbage', mint('prod_key')]) {
        const request = await world.goodRequest(route);
        const answer = await world.send(route, request, { token, from: freshAddress() });
        expect([answer.status < 300, answer.text]).toEqual([true, answer.text]);
      }
    },
  );

  test('HEAD tells nobody more than GET', async () => {
    for (const route of rights.filter(({ method, path }) => method === 'GET' && hasHead(path))) {
      const head = { ...route, method: 'HEAD' };
      const viewer = found(known.get('viewer'));
      const request = await world.goodRequest(route, viewer.sender().token);
      const nobody = { token: null, from: freshAddress() };
      expect([route.name, (await world.send(head, request, nobody)).status]).toEqual([
        route.name,
        401,
      ]);
      if (isStream(route)) continue;
      const answer = await world.send(head, request, viewer.sender());
      const expected = expectedStatus(route, viewer.principal);
      expect([route.name, answer.status < 300 ? 'done' : answer.status]).toEqual([
        route.name,
        expected,
      ]);
    }
  });
});

test('a route that declares no access cannot be registered', async () => {
  const log = createLog({ level: 'silent', service: 'vault' });
  const { app } = createHttpServer({
    ...{ log, errorEnvelope: { success: false }, newId: (prefix) => prefix },
    ...{ bodyLimitBytes: 1000, requestTimeoutMs: 1000 },
  });
  installVaultDoor(app, {
    ...{ listenHost: '127.0.0.1', allowCidrs: [], allowedHosts: [], trustedProxies: [] },
    ...{ clock: systemClock, log },
    identities: {
      of: async () => null,
      watch: () => () => false,
      changed: () => Promise.resolve(),
    },
  });
  expect(() => app.get('/root', () => ({}))).toThrow(
    new TypeError('the route GET /root declares no access'),
  );
  void app.register(async (part) => {
    part.post('/part', () => ({}));
  });
  await expect(app.ready()).rejects.toThrow('the route POST /part declares no access');
  await app.close();
});

function expectedStatus(
  route: DocumentedOperation,
  principal: Principal | null,
): 'done' | 401 | 403 {
  const permission = permissionOf(route.operation);
  if (principal === null) return 401;
  const isAllowed = [permission, needs[route.name] ?? permission].every(
    (each) => each === null || can(principal, each),
  );
  return isAllowed ? 'done' : 403;
}

async function makeCallers(world: RouteWorld): Promise<Map<string, Caller>> {
  const known = new Map<string, Caller>();
  const user = async (role: Role) => {
    const { token, userId, familyId } = await world.person(role);
    const principal: Principal = { kind: 'user', realm, userId, name: '', role };
    return { principal, token, userId, familyId };
  };
  const key = async (ownerId: string, ownerRole: Role, scopes = [...keyScopes]) => {
    const { token, keyId } = await world.key(ownerId, { scopes });
    const principal: Principal = {
      ...{ kind: 'key', realm, keyId, name: '', ownerId, ownerRole, scopes, agents: null },
    };
    return { principal, token, keyId };
  };
  for (const role of roles) {
    const person = await user(role);
    known.set(role, { principal: person.principal, sender: () => person });
    const ofPerson = await key(person.userId, role);
    const name = `a key of ${role} with all scopes`;
    known.set(name, { principal: ofPerson.principal, sender: () => ofPerson });
  }
  const admin = await user('admin');
  const without = await key(admin.userId, 'admin', []);
  const caller = { principal: without.principal, sender: () => without };
  known.set('a key of admin without scopes', caller);

  const [disabled, signedOut] = [await user('admin'), await user('admin')];
  const [ofDisabled, revoked] = [
    await key(disabled.userId, 'admin'),
    await key(admin.userId, 'admin'),
  ];
  const now = new Date().toISOString();
  await world.vault.database.write(async ({ db }) => {
    const users = db.updateTable('users').set({ disabledAt: now });
    await users.where('userId', '=', disabled.userId).execute();
    const families = db.updateTable('refreshFamilies').set({ endedAt: now, endReason: 'test' });
    await families.where('familyId', '=', signedOut.familyId).execute();
    const keys = db.updateTable('apiKeys').set({ revokedAt: now });
    await keys.where('keyId', '=', revoked.keyId).execute();
  });
  const gone = (name: string, token: string | null): void => {
    known.set(name, { principal: null, sender: () => ({ token, from: freshAddress() }) });
  };
  gone('a disabled admin', disabled.token);
  gone('a key of a disabled admin', ofDisabled.token);
  gone('an admin whose sign-in has ended', signedOut.token);
  gone('a revoked key of admin', revoked.token);
  gone('nobody', null);
  return known;
}

/** The length of an export is known only when all of it was read. */
function hasHead(path: string): boolean {
  return !path.endsWith('/export');
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there is no such caller');
  return value;
}

/** The paths of a tree as Fastify prints it. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods] = /^(.*?)── (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (part === '') return [];
    const depth = Math.floor(indent.length / 4);
    parents.length = depth;
    parents.push(part);
    return methods === undefined ? [] : [parents.join('')];
  });
}
