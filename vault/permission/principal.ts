// Who makes a request: a person who signed in, or a key that a person made.
import type { Permission } from './permission.ts';
import type { Role } from './role.ts';

export type UserPrincipal = {
  kind: 'user';
  realm: string;
  userId: string;
  name: string;
  role: Role;
};

export type KeyPrincipal = {
  kind: 'key';
  realm: string;
  keyId: string;
  name: string;
  ownerId: string;
  /** The role that the owner has now, not the one it had when the key was made. */
  ownerRole: Role;
  scopes: readonly Permission[];
  /** The only agents that the key is for; null is all. */
  agents: readonly string[] | null;
};

export type Principal = UserPrincipal | KeyPrincipal;

export type Source = 'dashboard' | 'api';

export function sourceOf(principal: Principal): Source {
  return principal.kind === 'user' ? 'dashboard' : 'api';
}

/** The person who answers for what the principal does. */
export function personOf(principal: Principal): string {
  return principal.kind === 'user' ? principal.userId : principal.ownerId;
}

/** To filter a list by: the only agents that the principal may see, or null for all. */
export function agentsOf(principal: Principal): readonly string[] | null {
  return principal.kind === 'user' ? null : principal.agents;
}
