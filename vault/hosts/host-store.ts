import type { Db, HostRow } from '../database/tables.ts';

export async function findHost(db: Db, realm: string, name: string): Promise<HostRow | null> {
  const query = db.selectFrom('hosts').selectAll().where('realm', '=', realm);
  return (await query.where('name', '=', name).executeTakeFirst()) ?? null;
}

export async function putHost(db: Db, row: HostRow): Promise<void> {
  const { report, reportedBy, reportedAt } = row;
  await db
    .insertInto('hosts')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['realm', 'name']).doUpdateSet({ report, reportedBy, reportedAt }),
    )
    .execute();
}

/** By name. */
export async function listHosts(
  db: Db,
  realm: string,
  afterName: string,
  limit: number,
): Promise<HostRow[]> {
  const query = db.selectFrom('hosts').selectAll().where('realm', '=', realm);
  return query.where('name', '>', afterName).orderBy('name').limit(limit).execute();
}

export async function countHosts(db: Db, realm: string): Promise<number> {
  const row = await db
    .selectFrom('hosts')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('realm', '=', realm)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}
