// What is in the database of a vault, for its backups.
import type { Db } from './tables.ts';

export type VaultCensus = {
  users: number;
  agents: number;
  events: number;
  /** The highest number that an event was ever given. */
  eventHead: number;
  auditRows: number;
};

/** The bytes lie in attachments/ beside the database. */
export type NamedAttachment = { attachmentId: string; size: number; sha256: string };

export async function takeVaultCensus(db: Db): Promise<VaultCensus> {
  const count = async (table: 'users' | 'agents' | 'events' | 'auditLog'): Promise<number> => {
    const query = db.selectFrom(table).select((eb) => eb.fn.countAll().as('rows'));
    return Number((await query.executeTakeFirstOrThrow()).rows);
  };
  const head = await db
    .selectFrom('counters')
    .select('value')
    .where('name', '=', 'events')
    .executeTakeFirst();
  return {
    users: await count('users'),
    agents: await count('agents'),
    events: await count('events'),
    eventHead: head?.value ?? 0,
    auditRows: await count('auditLog'),
  };
}

export function namedAttachments(db: Db): Promise<NamedAttachment[]> {
  return db.selectFrom('attachments').select(['attachmentId', 'size', 'sha256']).execute();
}
