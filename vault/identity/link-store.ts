import type { Db, OneTimeLinkRow } from '../database/tables.ts';

export type LinkKind = OneTimeLinkRow['kind'];

export async function findLinkBySecret(
  db: Db,
  secretSha256: string,
): Promise<OneTimeLinkRow | null> {
  const query = db.selectFrom('oneTimeLinks').selectAll().where('secretSha256', '=', secretSha256);
  return (await query.executeTakeFirst()) ?? null;
}

export async function findLink(
  db: Db,
  realm: string,
  linkId: string,
): Promise<OneTimeLinkRow | null> {
  const query = db.selectFrom('oneTimeLinks').selectAll().where('linkId', '=', linkId);
  return (await query.where('realm', '=', realm).executeTakeFirst()) ?? null;
}

export async function insertLink(db: Db, row: OneTimeLinkRow): Promise<void> {
  await db.insertInto('oneTimeLinks').values(row).execute();
}

/** False when somebody was quicker. */
export async function useLink(db: Db, linkId: string, at: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('oneTimeLinks')
    .set({ usedAt: at })
    .where('linkId', '=', linkId)
    .where('usedAt', 'is', null)
    .where('revokedAt', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows) === 1;
}

export type LinksToRevoke = {
  realm: string;
  kind?: LinkKind;
  linkId?: string;
  /** Of whom the password would be set. */
  userId?: string;
  /** Who made them. */
  createdBy?: string;
};

/** Those that are not used yet. */
export async function revokeLinks(
  db: Db,
  { realm, kind, linkId, userId, createdBy }: LinksToRevoke,
  at: string,
): Promise<void> {
  let query = db.updateTable('oneTimeLinks').set({ revokedAt: at }).where('realm', '=', realm);
  query = query.where('usedAt', 'is', null).where('revokedAt', 'is', null);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (linkId !== undefined) query = query.where('linkId', '=', linkId);
  if (userId !== undefined) query = query.where('userId', '=', userId);
  if (createdBy !== undefined) query = query.where('createdBy', '=', createdBy);
  await query.execute();
}

/** Newest first. */
export async function listInvitations(
  db: Db,
  realm: string,
  beforeId: string | undefined,
  limit: number,
): Promise<OneTimeLinkRow[]> {
  let query = db.selectFrom('oneTimeLinks').selectAll().where('realm', '=', realm);
  query = query.where('kind', '=', 'invitation');
  if (beforeId !== undefined) query = query.where('linkId', '<', beforeId);
  return query.orderBy('linkId', 'desc').limit(limit).execute();
}

/** At most `limit`; gives how many. */
export async function deleteExpiredLinks(db: Db, now: string, limit: number): Promise<number> {
  const old = db.selectFrom('oneTimeLinks').select('linkId').where('expiresAt', '<=', now);
  const { numDeletedRows } = await db
    .deleteFrom('oneTimeLinks')
    .where('linkId', 'in', old.limit(limit))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
