// The key of a service on the same host: its owner is a user of its own, as whom nobody can sign in.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { NewId } from '#shared/ids.ts';

import type { Db } from '../database/tables.ts';
import type { Permission } from '../permission/permission.ts';
import { endKeySecrets, insertKey, insertKeySecret, listKeys } from './key-store.ts';
import { digestOf, mint } from './secret-text.ts';
import { findUserByName, insertUser } from './user-store.ts';

export type ServiceKeyParts = { realm: string; newId: NewId; clock: Clock };

export const watcherScopes: readonly Permission[] = [
  ...(['self:read', 'agents:read', 'events:read', 'events:write', 'events:answer'] as const),
  ...(['status:write', 'hosts:write'] as const),
];
const watcherRate = { perMinute: 6000, burst: 600 };

/** Inside a transaction. Made when it is missing, else it gets another secret; what was there before works for `overlapSecs` more. */
export async function makeWatcherKey(
  db: Db,
  parts: ServiceKeyParts,
  overlapSecs: number,
): Promise<{ keyId: string; token: string }> {
  const { realm, newId, clock } = parts;
  const now = isoTime(clock.now());
  const ownerId = await ownerOf(db, parts, 'watcher');
  const [known] = await listKeys(db, { realm, ownerId }, undefined, 1);
  const keyId = known?.keyId ?? newId('key');
  if (known === undefined) {
    await insertKey(db, {
      ...{ keyId, realm, ownerId, name: 'watcher', kind: 'prod', agents: null, ...watcherRate },
      ...{ scopes: JSON.stringify(watcherScopes), version: 1, createdAt: now, updatedAt: now },
      ...{ expiresAt: null, revokedAt: null, lastUsedAt: null, lastUsedIp: null },
    });
  } else {
    await endKeySecrets(db, keyId, isoTime(clock.now() + overlapSecs * 1000));
  }
  const token = mint('prod_key');
  const secret = { secretSha256: digestOf(token), realm, keyId, createdAt: now, validUntil: null };
  await insertKeySecret(db, secret);
  return { keyId, token };
}

async function ownerOf(
  db: Db,
  { realm, newId, clock }: ServiceKeyParts,
  name: string,
): Promise<string> {
  const known = await findUserByName(db, realm, name);
  // Somebody of that name is a person: the key is not theirs.
  if (known !== null && known.passwordHash === null) return known.userId;
  const now = isoTime(clock.now());
  const userId = newId('user');
  await insertUser(db, {
    ...{
      userId,
      realm,
      name: known === null ? name : `${name}.service`,
      displayName: 'Watcher',
      role: 'agent',
    },
    ...{ passwordHash: null, version: 1, createdAt: now, updatedAt: now },
    ...{ disabledAt: null, lastSignInAt: null },
  });
  return userId;
}
