// CV-02: every list is walked in pages of seven while it grows, and has every old row once.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { vaultDatabases } from '../support/vault-databases.ts';
import { startRouteWorld, vaultRoutes } from '../support/vault-routes.ts';
import type { RouteWorld } from '../support/vault-routes.ts';

type Item = Record<string, unknown>;

type List = {
  /** Below /api/v1, perhaps with a query; made once. */
  path: (world: RouteWorld) => Promise<string>;
  /** Gives how the list names the row. */
  add: (world: RouteWorld, path: string) => Promise<string>;
  nameOf: (item: Item) => string;
};

let count = 0;
function unique(name: string): string {
  count += 1;
  // Not in the order in which they are made.
  return `${name}-${(count * 7919) % 10_007}-${count}`;
}

async function made(
  { call, admin }: RouteWorld,
  path: string,
  body: unknown,
  method = 'POST',
): Promise<Item> {
  const answer = await call(admin.token, path, { method, body });
  if (answer.status >= 300) throw new Error(answer.text);
  return answer.body.data;
}

async function feedOf({ agent, admin }: RouteWorld): Promise<string> {
  return `/agents/${await agent(admin.token)}/events`;
}

async function postTo(world: RouteWorld, path: string): Promise<string> {
  const [url = ''] = path.split('?');
  const event = await made(world, url, { event_type: 'system', content: 'x' });
  return String(event['event_id']);
}

const eventName = (item: Item): string => String(item['event_id']);

const lists: Readonly<Record<string, List>> = {
  'GET /api/v1/agents': {
    path: async () => '/agents',
    add: async (world) => world.agent(world.admin.token, unique('Agent')),
    nameOf: (item) => String(item['agent_id']),
  },
  'GET /api/v1/agents/{agent_id}/events': {
    path: feedOf,
    add: postTo,
    nameOf: eventName,
  },
  'GET /api/v1/agents/{agent_id}/events, oldest first': {
    path: async (world) => `${await feedOf(world)}?since=0&type=system`,
    add: postTo,
    nameOf: eventName,
  },
  'GET /api/v1/hosts': {
    path: async () => '/hosts',
    add: async (world) =>
      String((await made(world, `/hosts/${unique('host')}`, { health: 'ok' }, 'PUT'))['name']),
    nameOf: (item) => String(item['name']),
  },
  'GET /api/v1/auth/audit': {
    path: async () => '/auth/audit?action=host.reported',
    async add(world) {
      const host = await made(world, `/hosts/${unique('audited')}`, { health: 'ok' }, 'PUT');
      return `host:${String(host['name'])}`;
    },
    nameOf: (item) => String(item['resource']),
  },
  'GET /api/v1/users': {
    path: async () => '/users',
    add: async (world) => (await world.person('viewer')).userId,
    nameOf: (item) => String(item['user_id']),
  },
  'GET /api/v1/invitations': {
    path: async () => '/invitations',
    add: async (world) =>
      String((await made(world, '/invitations', { role: 'viewer' }))['invitation_id']),
    nameOf: (item) => String(item['invitation_id']),
  },
  'GET /api/v1/keys': {
    path: async () => '/keys',
    add: async (world) => (await world.key(world.admin.userId)).keyId,
    nameOf: (item) => String(item['key_id']),
  },
  'GET /api/v1/auth/sign-ins': {
    path: async () => '/auth/sign-ins',
    async add({ vault, admin }) {
      const { users, signIns } = vault.people;
      const credentials = await signIns.prepare(admin.userId);
      const origin = { address: '127.0.0.1', userAgent: 'test' };
      await vault.database.write(async (scope) =>
        signIns.begin(scope, await users.find(scope.db, admin.userId), credentials, origin),
      );
      return credentials.familyId;
    },
    nameOf: (item) => String(item['sign_in_id']),
  },
};

const pages = vaultRoutes.filter(({ operation }) =>
  (operation.parameters ?? []).some((each) => 'name' in each && each.name === 'limit'),
);

test('every list with pages is walked here', () => {
  const walked = Object.keys(lists).filter((name) => !name.includes(','));
  expect(walked.toSorted()).toEqual(pages.map(({ name }) => name).toSorted());
});

describe.each(vaultDatabases)('on %s', (kind) => {
  let world: RouteWorld;

  beforeAll(async () => {
    world = await startRouteWorld(kind);
  });

  afterAll(() => world.close());

  test.each(Object.entries(lists))('%s has every old row once', async (_name, list) => {
    const path = await list.path(world);
    const some = Array.from({ length: 100 }, async () => list.add(world, path));
    const old = await Promise.all(some);
    const seen: string[] = [];
    let after = '';
    for (let page = 0; page < 60; page += 1) {
      const query = `${path.includes('?') ? '&' : '?'}limit=7${after}`;
      const { status, body } = await world.call(world.admin.token, `${path}${query}`);
      expect([status, body.success, body.data.length > 7]).toEqual([200, true, false]);
      seen.push(...body.data.map(list.nameOf));
      if (body.next === null) break;
      expect(body.data).toHaveLength(7);
      await list.add(world, path);
      after = `&after=${encodeURIComponent(body.next)}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(old.filter((name) => !seen.includes(name))).toEqual([]);
  });
});
