import type { ExpressionBuilder } from 'kysely';

import type { ClaimRow, Db, Tables } from '../database/tables.ts';

export async function findClaim(db: Db, eventId: string): Promise<ClaimRow | null> {
  const query = db.selectFrom('claims').selectAll().where('eventId', '=', eventId);
  return (await query.executeTakeFirst()) ?? null;
}

export async function putClaim(db: Db, row: ClaimRow): Promise<void> {
  const { eventId: _, ...rest } = row;
  await db
    .insertInto('claims')
    .values(row)
    .onConflict((conflict) => conflict.column('eventId').doUpdateSet(rest))
    .execute();
}

export async function listHeldClaims(db: Db, realm: string): Promise<ClaimRow[]> {
  const query = db.selectFrom('claims').selectAll().where('state', '=', 'held');
  return query.where('realm', '=', realm).execute();
}

/** Those of events that are not there any more. */
export async function deleteOrphanClaims(db: Db, before: string, limit: number): Promise<number> {
  const orphans = db
    .selectFrom('claims')
    .select('claims.eventId')
    .where('claimedAt', '<', before)
    // Not `not in`: PostgreSQL would gather the ids of all events for it.
    .where((eb) => eb.not(eb.exists(eventOf(eb))))
    .limit(limit);
  const { numDeletedRows } = await db
    .deleteFrom('claims')
    .where('eventId', 'in', orphans)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

function eventOf(eb: ExpressionBuilder<Tables, 'claims'>) {
  const query = eb.selectFrom('events').select('events.seq');
  return query.whereRef('events.eventId', '=', 'claims.eventId');
}
