import type { AgentRow, AgentState, Db } from '../database/tables.ts';

export type AgentPlace = { place: number; agentId: string };

export type AgentListFilter = {
  realm: string;
  agentIds: readonly string[] | null;
  isArchived: boolean;
};

const messageTypes = ['user_message', 'assistant_message'];
const unreadMax = 100;

export async function findAgent(db: Db, realm: string, agentId: string): Promise<AgentRow | null> {
  const query = db.selectFrom('agents').selectAll().where('agentId', '=', agentId);
  return (await query.where('realm', '=', realm).executeTakeFirst()) ?? null;
}

export async function isNameTaken(db: Db, realm: string, name: string): Promise<boolean> {
  const row = await db
    .selectFrom('agents')
    .select('agentId')
    .where('realm', '=', realm)
    .where('name', '=', name)
    .where('archivedAt', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** In order of place. */
export async function listAgents(
  db: Db,
  { realm, agentIds, isArchived }: AgentListFilter,
  after: AgentPlace | null,
  limit: number,
): Promise<AgentRow[]> {
  let query = db.selectFrom('agents').selectAll().where('realm', '=', realm);
  query = query.where('archivedAt', isArchived ? 'is not' : 'is', null);
  if (agentIds !== null) query = query.where('agentId', 'in', agentIds);
  if (after !== null) {
    query = query.where((eb) =>
      eb.or([
        eb('place', '>', after.place),
        eb.and([eb('place', '=', after.place), eb('agentId', '>', after.agentId)]),
      ]),
    );
  }
  return query.orderBy('place').orderBy('agentId').limit(limit).execute();
}

export async function lastPlace(db: Db, realm: string): Promise<number> {
  const row = await db
    .selectFrom('agents')
    .select((eb) => eb.fn.max('place').as('place'))
    .where('realm', '=', realm)
    .executeTakeFirst();
  return row?.place ?? 0;
}

export async function insertAgent(db: Db, row: AgentRow): Promise<void> {
  await db.insertInto('agents').values(row).execute();
}

export async function updateAgent(
  db: Db,
  agentId: string,
  change: Partial<Omit<AgentRow, 'agentId' | 'realm'>>,
): Promise<void> {
  await db.updateTable('agents').set(change).where('agentId', '=', agentId).execute();
}

/** Those that say they are there. */
export async function listReportedAgents(db: Db, realm: string): Promise<AgentRow[]> {
  const here: AgentState[] = ['online', 'working'];
  const query = db.selectFrom('agents').selectAll().where('realm', '=', realm);
  return query.where('status', 'in', here).execute();
}

export async function readMark(db: Db, userId: string, agentId: string): Promise<number | null> {
  const row = await db
    .selectFrom('readMarks')
    .select('seq')
    .where('userId', '=', userId)
    .where('agentId', '=', agentId)
    .executeTakeFirst();
  return row?.seq ?? null;
}

export async function putReadMark(
  db: Db,
  mark: { realm: string; userId: string; agentId: string; seq: number; updatedAt: string },
): Promise<void> {
  const { seq, updatedAt } = mark;
  await db
    .insertInto('readMarks')
    .values(mark)
    .onConflict((conflict) =>
      conflict.columns(['userId', 'agentId']).doUpdateSet({ seq, updatedAt }),
    )
    .execute();
}

/** The number of the newest message; 0 without one. */
export async function lastMessageSeq(db: Db, agentId: string): Promise<number> {
  let last = 0;
  // Each of them is the end of an index.
  for (const type of messageTypes) {
    const row = await db
      .selectFrom('events')
      .select('seq')
      .where('agentId', '=', agentId)
      .where('eventType', '=', type)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirst();
    last = Math.max(last, row?.seq ?? 0);
  }
  return last;
}

/** Messages of others after a number; more than 100 are 100. */
export async function countUnread(
  db: Db,
  agentId: string,
  userId: string,
  afterSeq: number,
): Promise<number> {
  const rows = await db
    .selectFrom('events')
    .select('seq')
    .where('agentId', '=', agentId)
    .where('eventType', 'in', messageTypes)
    .where('seq', '>', afterSeq)
    .where('authorId', '!=', userId)
    .limit(unreadMax)
    .execute();
  return rows.length;
}

/** Of the order of all agents. */
export async function readOrderVersion(db: Db, realm: string): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .select('value')
    .where('realm', '=', realm)
    .where('name', '=', 'agent_order')
    .executeTakeFirst();
  return row?.value ?? 0;
}

export async function writeOrderVersion(db: Db, realm: string, value: number): Promise<void> {
  await db
    .insertInto('counters')
    .values({ realm, name: 'agent_order', value })
    .onConflict((conflict) => conflict.columns(['realm', 'name']).doUpdateSet({ value }))
    .execute();
}
