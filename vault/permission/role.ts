import { permissions } from './permission.ts';
import type { Permission } from './permission.ts';

export const roles = ['admin', 'agent', 'viewer'] as const;

export type Role = (typeof roles)[number];

const permissionsByRole: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  admin: new Set(permissions),
  agent: new Set([
    'self:read',
    'self:write',
    'keys:own',
    'agents:read',
    'agents:write',
    'events:read',
    'events:write',
    'events:answer',
    'status:write',
    'hosts:read',
    'hosts:write',
  ]),
  viewer: new Set([
    'self:read',
    'self:write',
    'keys:own',
    'agents:read',
    'events:read',
    'hosts:read',
  ]),
};

export function roleHas(role: Role, permission: Permission): boolean {
  return permissionsByRole[role].has(permission);
}
