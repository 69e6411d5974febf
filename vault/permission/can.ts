// The one place that decides whether somebody may do something.
import { isKeyScope } from './key-scope.ts';
import type { Permission } from './permission.ts';
import { agentsOf, personOf } from './principal.ts';
import type { Principal } from './principal.ts';
import { roleHas } from './role.ts';

export type Resource = {
  realm?: string | undefined;
  agentId?: string | undefined;
  ownerId?: string | undefined;
};

const aboutOneself: ReadonlySet<Permission> = new Set(['self:read', 'self:write', 'keys:own']);

// Without an agent these reach all of them or make another; the reading ones give a filtered list.
const needsAgentWhenBound: ReadonlySet<Permission> = new Set([
  'agents:write',
  'events:write',
  'events:answer',
  'status:write',
  'audit:read',
]);

/** What `resource` leaves out is not looked at: a list still has to be filtered by `agentsOf`. */
export function can(
  principal: Principal,
  permission: Permission,
  resource: Resource = {},
): boolean {
  const { realm, agentId, ownerId } = resource;
  return (
    (realm === undefined || realm === principal.realm) &&
    holds(principal, permission) &&
    isOwn(principal, permission, ownerId) &&
    reachesAgent(principal, permission, agentId)
  );
}

function holds(principal: Principal, permission: Permission): boolean {
  if (principal.kind === 'user') return roleHas(principal.role, permission);
  return (
    isKeyScope(permission) &&
    principal.scopes.includes(permission) &&
    roleHas(principal.ownerRole, permission)
  );
}

function isOwn(principal: Principal, permission: Permission, ownerId: string | undefined): boolean {
  if (ownerId === undefined || !aboutOneself.has(permission)) return true;
  return ownerId === personOf(principal);
}

function reachesAgent(
  principal: Principal,
  permission: Permission,
  agentId: string | undefined,
): boolean {
  const agents = agentsOf(principal);
  if (agents === null) return true;
  if (agentId !== undefined) return agents.includes(agentId);
  return !needsAgentWhenBound.has(permission);
}
