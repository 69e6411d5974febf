import { sql } from 'kysely';
import type { ExpressionBuilder, SelectQueryBuilder } from 'kysely';

import { untieAttachments } from '../attachments/attachment-store.ts';
import type { Db, EventRow, Tables } from '../database/tables.ts';

export type EventFilter = {
  realm: string;
  /** Of these agents; null for all and what concerns none. */
  agentIds: readonly string[] | null;
  /** Only those with a higher number. */
  sinceSeq?: number | undefined;
  beforeSeq?: number | undefined;
  sinceTime?: string | undefined;
  types?: readonly string[] | undefined;
  order: 'asc' | 'desc';
  limit: number;
};

const eventCounter = 'events';

/** The number of the next event: whoever takes one is the only writer until its commit. */
export async function takeEventSeq(db: Db, realm: string): Promise<number> {
  const { value } = await db
    .insertInto('counters')
    .values({ realm, name: eventCounter, value: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['realm', 'name'])
        .doUpdateSet((eb) => ({ value: eb('counters.value', '+', 1) })),
    )
    .returning('value')
    .executeTakeFirstOrThrow();
  return value;
}

/** The highest number ever given. */
export async function readEventHead(db: Db, realm: string): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .select('value')
    .where('realm', '=', realm)
    .where('name', '=', eventCounter)
    .executeTakeFirst();
  return row?.value ?? 0;
}

export async function insertEvent(db: Db, row: EventRow): Promise<void> {
  await db.insertInto('events').values(row).execute();
}

export async function findEvent(db: Db, realm: string, eventId: string): Promise<EventRow | null> {
  const query = db.selectFrom('events').selectAll();
  const row = await query
    .where('eventId', '=', eventId)
    .where('realm', '=', realm)
    .executeTakeFirst();
  return row ?? null;
}

export async function findEventByKey(
  db: Db,
  place: { agentId: string; authorId: string; key: string },
): Promise<EventRow | null> {
  const row = await db
    .selectFrom('events')
    .selectAll()
    .where('agentId', '=', place.agentId)
    .where('authorId', '=', place.authorId)
    .where('idempotencyKey', '=', place.key)
    .executeTakeFirst();
  return row ?? null;
}

export async function listEvents(db: Db, filter: EventFilter): Promise<EventRow[]> {
  let query: SelectQueryBuilder<Tables, 'events', EventRow> = db
    .selectFrom('events')
    .selectAll()
    .where('realm', '=', filter.realm);
  const { agentIds, sinceSeq, beforeSeq, sinceTime, types } = filter;
  const [only, ...others] = agentIds ?? [];
  if (agentIds !== null) {
    query =
      only !== undefined && others.length === 0
        ? query.where('agentId', '=', only)
        : query.where(isOneOf(agentIds));
  }
  if (sinceSeq !== undefined) query = query.where('seq', '>', sinceSeq);
  if (beforeSeq !== undefined) query = query.where('seq', '<', beforeSeq);
  if (sinceTime !== undefined) query = query.where('createdAt', '>=', sinceTime);
  if (types !== undefined) query = query.where('eventType', 'in', types);
  return query.orderBy('seq', filter.order).limit(filter.limit).execute();
}

/** In parentheses that no database takes offence at when there is nobody. */
function isOneOf(agentIds: readonly string[]) {
  return (eb: ExpressionBuilder<Tables, 'events'>) =>
    agentIds.length === 0 ? eb.lit(false) : eb('agentId', 'in', agentIds);
}

/** The pieces of an answer, once the answer is there. */
export async function deleteDeltas(db: Db, agentId: string, replyTo: string): Promise<void> {
  const gone = await db
    .deleteFrom('events')
    .where('replyTo', '=', replyTo)
    .where('agentId', '=', agentId)
    .where('eventType', '=', 'assistant_delta')
    .returning(['eventId', 'attachments'])
    .execute();
  await untieAttachments(db, withAttachments(gone));
}

/** At most `limit` of the oldest ones; gives how many. */
export async function deleteEventsBefore(db: Db, time: string, limit: number): Promise<number> {
  const old = db
    .selectFrom('events')
    .select('seq')
    .where('createdAt', '<', time)
    .orderBy('createdAt');
  const gone = await db
    .deleteFrom('events')
    .where('seq', 'in', old.limit(limit))
    .returning(['eventId', 'attachments'])
    .execute();
  await untieAttachments(db, withAttachments(gone));
  return gone.length;
}

function withAttachments(rows: readonly Pick<EventRow, 'eventId' | 'attachments'>[]): string[] {
  return rows.filter(({ attachments }) => attachments !== '[]').map(({ eventId }) => eventId);
}

export type FeedPlace = { realm: string; agentId: string };

/** How far to read on after `after`, up to `head`, so that it is at most about `bytesMax`; null when there is no more. */
export async function findPieceEnd(
  db: Db,
  { realm, agentId }: FeedPlace,
  { after, head, bytesMax, eventsMax }: PieceWanted,
): Promise<number | null> {
  const sizes = await db
    .selectFrom('events')
    .select(['seq', sql<number>`octet_length(content) + octet_length(metadata)`.as('bytes')])
    .where('agentId', '=', agentId)
    .where('realm', '=', realm)
    .where('seq', '>', after)
    .where('seq', '<=', head)
    .orderBy('seq')
    .limit(eventsMax)
    .execute();
  let bytes = 0;
  // At least one, however large it is.
  const tooMuch = sizes.findIndex((each, index) => (bytes += each.bytes) > bytesMax && index > 0);
  return (tooMuch === -1 ? sizes : sizes.slice(0, tooMuch)).at(-1)?.seq ?? null;
}

export type PieceWanted = { after: number; head: number; bytesMax: number; eventsMax: number };
