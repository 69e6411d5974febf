import type { Db, IdempotencyKeyRow } from '../database/tables.ts';

/** Whose key it is, on which path. */
export type IdempotencyPlace = { scope: string; path: string; key: string };

export async function findIdempotencyKey(
  db: Db,
  { scope, path, key }: IdempotencyPlace,
): Promise<IdempotencyKeyRow | null> {
  const row = await db
    .selectFrom('idempotencyKeys')
    .selectAll()
    .where('scope', '=', scope)
    .where('path', '=', path)
    .where('key', '=', key)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertIdempotencyKey(db: Db, row: IdempotencyKeyRow): Promise<void> {
  await db.insertInto('idempotencyKeys').values(row).execute();
}

/** At most `limit`; gives how many. */
export async function deleteIdempotencyKeysBefore(
  db: Db,
  time: string,
  limit: number,
): Promise<number> {
  const old = db
    .selectFrom('idempotencyKeys')
    .select(['key'])
    .where('createdAt', '<', time)
    .limit(limit);
  const { numDeletedRows } = await db
    .deleteFrom('idempotencyKeys')
    .where('createdAt', '<', time)
    .where('key', 'in', old)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}
