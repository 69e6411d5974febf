import type { ApiKeyRow, Db, KeySecretRow } from '../database/tables.ts';

/** Null also for one that was revoked. */
export async function findKey(db: Db, realm: string, keyId: string): Promise<ApiKeyRow | null> {
  const query = db.selectFrom('apiKeys').selectAll().where('keyId', '=', keyId);
  const row = await query
    .where('realm', '=', realm)
    .where('revokedAt', 'is', null)
    .executeTakeFirst();
  return row ?? null;
}

/** Newest first, without those that were revoked; of everybody when `ownerId` is null. */
export async function listKeys(
  db: Db,
  { realm, ownerId }: { realm: string; ownerId: string | null },
  beforeId: string | undefined,
  limit: number,
): Promise<ApiKeyRow[]> {
  let query = db.selectFrom('apiKeys').selectAll().where('realm', '=', realm);
  query = query.where('revokedAt', 'is', null);
  if (ownerId !== null) query = query.where('ownerId', '=', ownerId);
  if (beforeId !== undefined) query = query.where('keyId', '<', beforeId);
  return query.orderBy('keyId', 'desc').limit(limit).execute();
}

/** The names of the keys that an owner has. */
export async function listKeyNames(db: Db, ownerId: string): Promise<string[]> {
  const query = db.selectFrom('apiKeys').select('name').where('ownerId', '=', ownerId);
  const rows = await query.where('revokedAt', 'is', null).execute();
  return rows.map(({ name }) => name);
}

export async function insertKey(db: Db, row: ApiKeyRow): Promise<void> {
  await db.insertInto('apiKeys').values(row).execute();
}

export async function updateKey(
  db: Db,
  keyId: string,
  change: Partial<Omit<ApiKeyRow, 'keyId' | 'realm' | 'ownerId'>>,
): Promise<void> {
  await db.updateTable('apiKeys').set(change).where('keyId', '=', keyId).execute();
}

export async function insertKeySecret(db: Db, row: KeySecretRow): Promise<void> {
  await db.insertInto('keySecrets').values(row).execute();
}

/** Those that would end later, or never, end then. */
export async function endKeySecrets(db: Db, keyId: string, validUntil: string): Promise<void> {
  await db
    .updateTable('keySecrets')
    .set({ validUntil })
    .where('keyId', '=', keyId)
    .where((eb) => eb.or([eb('validUntil', 'is', null), eb('validUntil', '>', validUntil)]))
    .execute();
}

/** At most `limit`; gives how many. */
export async function deleteEndedKeySecrets(db: Db, now: string, limit: number): Promise<number> {
  const old = db.selectFrom('keySecrets').select('secretSha256').where('validUntil', '<=', now);
  const { numDeletedRows } = await db
    .deleteFrom('keySecrets')
    .where('secretSha256', 'in', old.limit(limit))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
