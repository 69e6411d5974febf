import type { Db, UserRow } from '../database/tables.ts';

export async function findUser(db: Db, realm: string, userId: string): Promise<UserRow | null> {
  const query = db.selectFrom('users').selectAll().where('userId', '=', userId);
  return (await query.where('realm', '=', realm).executeTakeFirst()) ?? null;
}

export async function findUserByName(db: Db, realm: string, name: string): Promise<UserRow | null> {
  const query = db.selectFrom('users').selectAll().where('realm', '=', realm);
  return (await query.where('name', '=', name).executeTakeFirst()) ?? null;
}

/** People; the owners of the keys of services are none. */
export async function hasUsers(db: Db, realm: string): Promise<boolean> {
  const query = db.selectFrom('users').select('userId').where('realm', '=', realm);
  const row = await query
    .where((eb) => eb.or([eb('passwordHash', 'is not', null), eb('role', '!=', 'agent')]))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** In the order in which they were made. */
export async function listUsers(
  db: Db,
  realm: string,
  afterId: string | undefined,
  limit: number,
): Promise<UserRow[]> {
  let query = db.selectFrom('users').selectAll().where('realm', '=', realm);
  if (afterId !== undefined) query = query.where('userId', '>', afterId);
  return query.orderBy('userId').limit(limit).execute();
}

/** Whether anybody but this user is an admin who can sign in. */
export async function hasOtherAdmin(db: Db, realm: string, userId: string): Promise<boolean> {
  const row = await db
    .selectFrom('users')
    .select('userId')
    .where('realm', '=', realm)
    .where('role', '=', 'admin')
    .where('disabledAt', 'is', null)
    .where('userId', '!=', userId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertUser(db: Db, row: UserRow): Promise<void> {
  await db.insertInto('users').values(row).execute();
}

export async function updateUser(
  db: Db,
  userId: string,
  change: Partial<Omit<UserRow, 'userId' | 'realm' | 'name'>>,
): Promise<void> {
  await db.updateTable('users').set(change).where('userId', '=', userId).execute();
}
