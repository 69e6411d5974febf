// What a key may be made for. None of it makes another key, so that a stolen one stays alone.
import { permissions } from './permission.ts';
import type { Permission } from './permission.ts';
import { roleHas } from './role.ts';
import type { Role } from './role.ts';

const neverForKeys: ReadonlySet<Permission> = new Set([
  'self:write',
  'keys:own',
  'keys:manage',
  'users:manage',
]);

export const keyScopes: readonly Permission[] = permissions.filter(isKeyScope);

export function isKeyScope(permission: Permission): boolean {
  return !neverForKeys.has(permission);
}

/** Which scopes of a wanted key its maker cannot give: none when the key may be made. */
export function scopesBeyond(makerRole: Role, scopes: readonly Permission[]): Permission[] {
  return scopes.filter((scope) => !isKeyScope(scope) || !roleHas(makerRole, scope));
}
