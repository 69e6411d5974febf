// A sign-in is a family of refresh tokens, each used once.
import type { Db, RefreshFamilyRow, RefreshTokenRow, UserRow } from '../database/tables.ts';

export type Presented = { token: RefreshTokenRow; family: RefreshFamilyRow; user: UserRow };

/** Whose refresh token it is, whatever has become of it. */
export async function findRefreshToken(db: Db, tokenSha256: string): Promise<Presented | null> {
  const token = await db
    .selectFrom('refreshTokens')
    .selectAll()
    .where('tokenSha256', '=', tokenSha256)
    .executeTakeFirst();
  if (token === undefined) return null;
  const family = await db
    .selectFrom('refreshFamilies')
    .selectAll()
    .where('familyId', '=', token.familyId)
    .executeTakeFirstOrThrow();
  const user = await db
    .selectFrom('users')
    .selectAll()
    .where('userId', '=', family.userId)
    .executeTakeFirstOrThrow();
  return { token, family, user };
}

export async function findFamily(db: Db, familyId: string): Promise<RefreshFamilyRow | null> {
  const query = db.selectFrom('refreshFamilies').selectAll().where('familyId', '=', familyId);
  return (await query.executeTakeFirst()) ?? null;
}

export async function insertFamily(db: Db, row: RefreshFamilyRow): Promise<void> {
  await db.insertInto('refreshFamilies').values(row).execute();
}

export async function insertRefreshToken(db: Db, row: RefreshTokenRow): Promise<void> {
  await db.insertInto('refreshTokens').values(row).execute();
}

/** False when it was used before. */
export async function useRefreshToken(db: Db, tokenSha256: string, at: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('refreshTokens')
    .set({ usedAt: at })
    .where('tokenSha256', '=', tokenSha256)
    .where('usedAt', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows) === 1;
}

export async function extendFamily(db: Db, familyId: string, expiresAt: string): Promise<void> {
  await db
    .updateTable('refreshFamilies')
    .set({ expiresAt })
    .where('familyId', '=', familyId)
    .execute();
}

export type FamilyEnd = { endedAt: string; endReason: string };

export async function endFamily(db: Db, familyId: string, end: FamilyEnd): Promise<void> {
  const query = db.updateTable('refreshFamilies').set(end).where('familyId', '=', familyId);
  await query.where('endedAt', 'is', null).execute();
}

export async function endFamiliesOfUser(
  db: Db,
  userId: string,
  end: FamilyEnd,
  exceptFamilyId: string | null,
): Promise<void> {
  let query = db.updateTable('refreshFamilies').set(end).where('userId', '=', userId);
  query = query.where('endedAt', 'is', null);
  if (exceptFamilyId !== null) query = query.where('familyId', '!=', exceptFamilyId);
  await query.execute();
}

/** Those that go on, newest first. */
export async function listOpenFamilies(
  db: Db,
  { userId, now }: { userId: string; now: string },
  beforeId: string | undefined,
  limit: number,
): Promise<RefreshFamilyRow[]> {
  let query = db.selectFrom('refreshFamilies').selectAll().where('userId', '=', userId);
  query = query.where('endedAt', 'is', null).where('expiresAt', '>', now);
  if (beforeId !== undefined) query = query.where('familyId', '<', beforeId);
  return query.orderBy('familyId', 'desc').limit(limit).execute();
}

/** At most `limit`; gives how many. */
export async function deleteExpiredTokens(db: Db, now: string, limit: number): Promise<number> {
  const old = db.selectFrom('refreshTokens').select('tokenSha256').where('expiresAt', '<=', now);
  const { numDeletedRows } = await db
    .deleteFrom('refreshTokens')
    .where('tokenSha256', 'in', old.limit(limit))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

/** Their tokens must have gone before. At most `limit`; gives how many. */
export async function deleteExpiredFamilies(db: Db, now: string, limit: number): Promise<number> {
  const old = db.selectFrom('refreshFamilies').select('familyId').where('expiresAt', '<=', now);
  const { numDeletedRows } = await db
    .deleteFrom('refreshFamilies')
    .where('familyId', 'in', old.limit(limit))
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
