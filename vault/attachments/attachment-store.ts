import type { FileUsage } from '#shared/uploads/file-quota.ts';

import type { AttachmentRow, Db } from '../database/tables.ts';

const bytesCounter = 'attachment_bytes';
const filesCounter = 'attachment_files';

export async function insertAttachment(db: Db, row: AttachmentRow): Promise<void> {
  await db.insertInto('attachments').values(row).execute();
  await count(db, row.realm, { files: 1, bytes: row.size });
}

export async function findAttachment(
  db: Db,
  realm: string,
  attachmentId: string,
): Promise<AttachmentRow | null> {
  const [row = null] = await findAttachments(db, realm, [attachmentId]);
  return row;
}

/** Those that there are, in any order. */
export async function findAttachments(
  db: Db,
  realm: string,
  attachmentIds: readonly string[],
): Promise<AttachmentRow[]> {
  if (attachmentIds.length === 0) return [];
  const query = db.selectFrom('attachments').selectAll().where('realm', '=', realm);
  return query.where('attachmentId', 'in', attachmentIds).execute();
}

/** Some at a time, in their order. */
export async function listAttachmentIds(
  db: Db,
  realm: string,
  after: string,
  limit: number,
): Promise<string[]> {
  const query = db.selectFrom('attachments').select('attachmentId').where('realm', '=', realm);
  const found = query.where('attachmentId', '>', after).orderBy('attachmentId').limit(limit);
  return (await found.execute()).map(({ attachmentId }) => attachmentId);
}

/** Gives how many it tied: those that belong to an event already are left to it. */
export async function tieAttachments(
  db: Db,
  attachmentIds: readonly string[],
  eventId: string,
): Promise<number> {
  if (attachmentIds.length === 0) return 0;
  const { numUpdatedRows } = await db
    .updateTable('attachments')
    .set({ eventId })
    .where('attachmentId', 'in', attachmentIds)
    .where('eventId', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

/** Of events that go: from then on they are as if no event had ever named them. */
export async function untieAttachments(db: Db, eventIds: readonly string[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db
    .updateTable('attachments')
    .set({ eventId: null })
    .where('eventId', 'in', eventIds)
    .execute();
}

/** At most `limit` of those without an event that were uploaded before; gives their ids. */
export async function deleteUnusedAttachments(
  db: Db,
  realm: string,
  before: string,
  limit: number,
): Promise<string[]> {
  const unused = db
    .selectFrom('attachments')
    .select('attachmentId')
    .where('eventId', 'is', null)
    .where('createdAt', '<', before)
    .where('realm', '=', realm)
    .orderBy('createdAt')
    .limit(limit);
  const gone = await db
    .deleteFrom('attachments')
    .where('attachmentId', 'in', unused)
    .returning(['attachmentId', 'size'])
    .execute();
  const bytes = gone.reduce((sum, { size }) => sum + size, 0);
  if (gone.length > 0) await count(db, realm, { files: -gone.length, bytes: -bytes });
  return gone.map(({ attachmentId }) => attachmentId);
}

/** Counted and not summed up: it is asked about at every piece of an upload. */
export async function attachmentUsage(db: Db, realm: string): Promise<FileUsage> {
  const rows = await db
    .selectFrom('counters')
    .select(['name', 'value'])
    .where('realm', '=', realm)
    .where('name', 'in', [bytesCounter, filesCounter])
    .execute();
  const valueOf = (name: string): number => rows.find((row) => row.name === name)?.value ?? 0;
  return { files: valueOf(filesCounter), bytes: valueOf(bytesCounter) };
}

async function count(db: Db, realm: string, { files, bytes }: FileUsage): Promise<void> {
  await add(db, realm, filesCounter, files);
  await add(db, realm, bytesCounter, bytes);
}

async function add(db: Db, realm: string, name: string, value: number): Promise<void> {
  await db
    .insertInto('counters')
    .values({ realm, name, value })
    .onConflict((conflict) =>
      conflict
        .columns(['realm', 'name'])
        .doUpdateSet((eb) => ({ value: eb('counters.value', '+', value) })),
    )
    .execute();
}
