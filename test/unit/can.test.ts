import { describe, expect, test } from 'vitest';

import { can } from '../../vault/permission/can.ts';
import { keyScopes, scopesBeyond } from '../../vault/permission/key-scope.ts';
import { isPermission, permissions } from '../../vault/permission/permission.ts';
import type { Permission } from '../../vault/permission/permission.ts';
import { agentsOf, sourceOf } from '../../vault/permission/principal.ts';
import type { KeyPrincipal, Principal } from '../../vault/permission/principal.ts';
import { roles } from '../../vault/permission/role.ts';
import type { Role } from '../../vault/permission/role.ts';

function user(role: Role): Principal {
  return { kind: 'user', realm: 'main', userId: 'user-1', name: 'Ada', role };
}

function key(fields: Partial<KeyPrincipal> = {}): KeyPrincipal {
  return {
    kind: 'key',
    realm: 'main',
    keyId: 'key-1',
    name: 'watcher',
    ownerId: 'user-1',
    ownerRole: 'admin',
    scopes: permissions,
    agents: null,
    ...fields,
  };
}

function allOf(principal: Principal): Permission[] {
  return permissions.filter((permission) => can(principal, permission));
}

const forViewers = [
  'self:read',
  'self:write',
  'keys:own',
  'agents:read',
  'events:read',
  'hosts:read',
];
const forAdminsOnly = ['keys:manage', 'users:manage', 'audit:read'];
const notForKeys = ['self:write', 'keys:own', 'keys:manage', 'users:manage'];

describe('a role', () => {
  test('admin may do everything', () => {
    expect(allOf(user('admin'))).toEqual(permissions);
  });

  test('agent may read and write, but not administer', () => {
    expect(allOf(user('agent'))).toEqual(
      permissions.filter((permission) => !forAdminsOnly.includes(permission)),
    );
  });

  test('viewer may read, and mind its own things', () => {
    expect(allOf(user('viewer'))).toEqual(forViewers);
  });
});

describe('a key', () => {
  test.each(roles)(
    'with every scope has what its owner has as %s, except what makes keys',
    (role) => {
      const expected = allOf(user(role)).filter((permission) => !notForKeys.includes(permission));
      expect(allOf(key({ ownerRole: role }))).toEqual(expected);
    },
  );

  test('has no more than its scopes', () => {
    expect(allOf(key({ scopes: ['events:read'] }))).toEqual(['events:read']);
    expect(allOf(key({ scopes: [] }))).toEqual([]);
  });

  test('loses what its owner loses', () => {
    const scopes: Permission[] = ['events:read', 'events:write', 'audit:read'];
    expect(allOf(key({ scopes, ownerRole: 'admin' }))).toEqual(scopes);
    expect(allOf(key({ scopes, ownerRole: 'agent' }))).toEqual(['events:read', 'events:write']);
    expect(allOf(key({ scopes, ownerRole: 'viewer' }))).toEqual(['events:read']);
  });
});

describe('a key bound to agents', () => {
  const bound = key({ agents: ['agent-1', 'agent-2'] });

  test.each(keyScopes)('%s holds for its agents and for no other', (permission) => {
    expect(can(bound, permission, { agentId: 'agent-1' })).toBe(true);
    expect(can(bound, permission, { agentId: 'agent-2' })).toBe(true);
    expect(can(bound, permission, { agentId: 'agent-3' })).toBe(false);
    expect(can(bound, permission, { agentId: '' })).toBe(false);
  });

  test('where no agent is named, it may list what it sees, but not make or reach others', () => {
    expect(allOf(bound)).toEqual([
      'self:read',
      'agents:read',
      'events:read',
      'hosts:read',
      'hosts:write',
    ]);
  });

  test('of no agents reaches none', () => {
    expect(can(key({ agents: [] }), 'events:read', { agentId: 'agent-1' })).toBe(false);
  });

  test('says which agents a list may show', () => {
    expect(agentsOf(bound)).toEqual(['agent-1', 'agent-2']);
    expect(agentsOf(key())).toBeNull();
    expect(agentsOf(user('viewer'))).toBeNull();
  });
});

test.each([user('admin'), key()])('nothing of another realm may be touched (%#)', (principal) => {
  for (const permission of permissions) {
    expect(can(principal, permission, { realm: 'other' })).toBe(false);
    expect(can(principal, permission, { realm: '' })).toBe(false);
  }
  expect(can(principal, 'events:read', { realm: 'main' })).toBe(true);
});

test('what is about oneself is not about others, even for an admin', () => {
  for (const permission of ['self:read', 'self:write', 'keys:own'] as const) {
    expect(can(user('admin'), permission, { ownerId: 'user-1' })).toBe(true);
    expect(can(user('admin'), permission, { ownerId: 'user-2' })).toBe(false);
  }
  expect(can(key(), 'self:read', { ownerId: 'user-1' })).toBe(true);
  expect(can(key(), 'self:read', { ownerId: 'user-2' })).toBe(false);
  expect(can(user('admin'), 'keys:manage', { ownerId: 'user-2' })).toBe(true);
  expect(can(user('viewer'), 'keys:manage', { ownerId: 'user-1' })).toBe(false);
});

test('the scopes offered for keys make no other key', () => {
  expect(keyScopes).toEqual(permissions.filter((name) => !notForKeys.includes(name)));
});

test.each<[Role, Permission[], Permission[]]>([
  ['admin', [...keyScopes], []],
  ['admin', ['users:manage', 'events:read', 'keys:own'], ['users:manage', 'keys:own']],
  ['agent', ['events:write', 'audit:read'], ['audit:read']],
  ['viewer', ['events:read', 'events:write', 'hosts:write'], ['events:write', 'hosts:write']],
  ['viewer', [], []],
])('%s asking for %j is told %j are beyond it', (role, scopes, beyond) => {
  expect(scopesBeyond(role, scopes)).toEqual(beyond);
});

test('a browser and a key are told apart', () => {
  expect([sourceOf(user('viewer')), sourceOf(key())]).toEqual(['dashboard', 'api']);
});

test('only the listed texts are permissions', () => {
  expect(permissions.every(isPermission)).toBe(true);
  for (const text of ['', 'self', 'SELF:READ', 'constructor', '__proto__', 'events:read ']) {
    expect(isPermission(text)).toBe(false);
  }
});
