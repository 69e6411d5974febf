import type { Db } from '../database/tables.ts';
import { isPermission } from '../permission/permission.ts';
import type { Permission } from '../permission/permission.ts';
import type { Role } from '../permission/role.ts';

export type UserIdentity = { realm: string; userId: string; name: string; role: Role };

export type KeyIdentity = {
  realm: string;
  keyId: string;
  name: string;
  ownerId: string;
  ownerRole: Role;
  scopes: Permission[];
  agents: string[] | null;
  perMinute: number;
  burst: number;
  /** The earlier of the end of the key and that of this secret. */
  endsAt: string | null;
};

/** Null when the user is disabled or the sign-in has ended. */
export async function findIdentityOfUser(
  db: Db,
  { userId, familyId }: { userId: string; familyId: string },
): Promise<UserIdentity | null> {
  const row = await db
    .selectFrom('users')
    .innerJoin('refreshFamilies', 'refreshFamilies.userId', 'users.userId')
    .select(['users.realm', 'users.userId', 'users.name', 'users.role'])
    .where('users.userId', '=', userId)
    .where('users.disabledAt', 'is', null)
    .where('refreshFamilies.familyId', '=', familyId)
    .where('refreshFamilies.endedAt', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Null when the key was revoked or is over, this secret of it is, or its owner is disabled. */
export async function findIdentityOfKey(
  db: Db,
  secretSha256: string,
  now: string,
): Promise<KeyIdentity | null> {
  const row = await db
    .selectFrom('keySecrets')
    .innerJoin('apiKeys', 'apiKeys.keyId', 'keySecrets.keyId')
    .innerJoin('users', 'users.userId', 'apiKeys.ownerId')
    .select([
      'apiKeys.realm',
      'apiKeys.keyId',
      'apiKeys.name',
      'apiKeys.ownerId',
      'users.role as ownerRole',
      'apiKeys.scopes',
      'apiKeys.agents',
      'apiKeys.perMinute',
      'apiKeys.burst',
      'apiKeys.expiresAt',
      'keySecrets.validUntil',
    ])
    .where('keySecrets.secretSha256', '=', secretSha256)
    .where('apiKeys.revokedAt', 'is', null)
    .where('users.disabledAt', 'is', null)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { scopes, agents, expiresAt, validUntil, ...rest } = row;
  const ends = [expiresAt, validUntil].filter((end) => end !== null).toSorted();
  const endsAt = ends[0] ?? null;
  if (endsAt !== null && endsAt <= now) return null;
  return { ...rest, scopes: readScopes(scopes), agents: readAgents(agents), endsAt };
}

export function readScopes(text: string): Permission[] {
  const scopes: unknown = JSON.parse(text);
  return Array.isArray(scopes) ? scopes.filter(isPermission) : [];
}

export function readAgents(text: string | null): string[] | null {
  if (text === null) return null;
  const agents: string[] = JSON.parse(text);
  return agents;
}

export async function noteKeyUse(db: Db, keyId: string, at: string, ip: string): Promise<void> {
  await db
    .updateTable('apiKeys')
    .set({ lastUsedAt: at, lastUsedIp: ip })
    .where('keyId', '=', keyId)
    .execute();
}
