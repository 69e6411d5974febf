import type { FastifyRequest } from 'fastify';

import { requestError } from '#shared/errors.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import type { UserPrincipal } from '../permission/principal.ts';

/** Throws `forbidden` for a key. */
export function personMaking(
  request: FastifyRequest,
  door: Pick<VaultDoor, 'principalOf'>,
): UserPrincipal {
  const principal = door.principalOf(request);
  if (principal.kind === 'user') return principal;
  throw requestError('forbidden', 'this is for people, not for keys');
}
