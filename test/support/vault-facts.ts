// What has to hold of a vault's database whatever has happened to it.
import { expect } from 'vitest';

import type { Vault } from '../../vault/app.ts';
import type { PostedEvent } from './vault-writers.ts';

/** Everything acknowledged is there, once, under its number; the audit log is whole and tells of each event once. */
export async function expectNothingLost(
  { database, audit }: Pick<Vault, 'database' | 'audit'>,
  acknowledged: readonly PostedEvent[],
): Promise<void> {
  const rows = await database.reads
    .selectFrom('events')
    .select(['seq', 'eventId', 'agentId', 'idempotencyKey'])
    .where('eventType', '=', 'user_message')
    .orderBy('seq')
    .execute();
  const stored = new Map(rows.map((row) => [`${row.agentId} ${row.idempotencyKey}`, row]));
  expect(stored.size).toBe(rows.length);
  expect(new Set(rows.map(({ seq }) => seq)).size).toBe(rows.length);
  const missing = acknowledged.filter(({ key, agentId, seq, eventId }) => {
    const row = stored.get(`${agentId} ${key}`);
    return row?.seq !== seq || row.eventId !== eventId;
  });
  expect(missing).toEqual([]);
  expect(await audit.verify(database.reads)).toMatchObject({ ok: true });
  const told = await database.reads
    .selectFrom('auditLog')
    .select('resource')
    .where('action', '=', 'event.posted')
    .execute();
  expect(told).toHaveLength(rows.length);
  expect(new Set(told.map(({ resource }) => resource))).toEqual(
    new Set(rows.map(({ eventId }) => `event:${eventId}`)),
  );
}
