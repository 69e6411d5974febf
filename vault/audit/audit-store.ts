import type { ChainRow } from '#shared/audit-chain.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AuditRow, Db } from '../database/tables.ts';

export type AuditFilter = {
  /** The name of a user or key. */
  user?: string | undefined;
  action?: string | undefined;
  /** ISO times: from `since` on, before `until`. */
  since?: string | undefined;
  until?: string | undefined;
};

const lastAuditSeq = 'audit';

export async function readChainHead(db: Db): Promise<{ seq: number; hash: string } | null> {
  const query = db.selectFrom('auditLog').select(['seq', 'hash']).orderBy('seq', 'desc').limit(1);
  return (await query.executeTakeFirst()) ?? null;
}

/** The highest number ever given, also to a row that has gone. */
export async function readLastAuditSeq(db: Db, realm: string): Promise<number> {
  const row = await db
    .selectFrom('counters')
    .select('value')
    .where('realm', '=', realm)
    .where('name', '=', lastAuditSeq)
    .executeTakeFirst();
  return row?.value ?? 0;
}

export async function insertAuditRow(db: Db, row: AuditRow): Promise<void> {
  await db.insertInto('auditLog').values(row).execute();
  const { realm, seq: value } = row;
  await db
    .insertInto('counters')
    .values({ realm, name: lastAuditSeq, value })
    .onConflict((conflict) => conflict.columns(['realm', 'name']).doUpdateSet({ value }))
    .execute();
}

/** Newest first. */
export async function listAuditRows(
  db: Db,
  filter: AuditFilter,
  beforeSeq: number,
  limit: number,
): Promise<AuditRow[]> {
  let query = db.selectFrom('auditLog').selectAll().where('seq', '<', beforeSeq);
  if (filter.user !== undefined) query = query.where('actorName', '=', filter.user);
  if (filter.action !== undefined) query = query.where('action', '=', filter.action);
  if (filter.since !== undefined) query = query.where('at', '>=', filter.since);
  if (filter.until !== undefined) query = query.where('at', '<', filter.until);
  return query.orderBy('seq', 'desc').limit(limit).execute();
}

/** Those after `seq`, in order, some at a time. */
export async function readChain(db: Db, seq: number, limit: number): Promise<ChainRow[]> {
  const query = db.selectFrom('auditLog').selectAll().where('seq', '>', seq).orderBy('seq');
  const rows = await query.limit(limit).execute();
  return rows.map((row) => ({
    seq: row.seq,
    previousHash: row.previousHash,
    hash: row.hash,
    record: auditRecord(row),
  }));
}

export async function readNewestAnchor(
  db: Db,
): Promise<{ prunedToSeq: number; details: string } | null> {
  const row = await db
    .selectFrom('auditLog')
    .select(['prunedToSeq', 'details'])
    .where('prunedToSeq', 'is not', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  const { prunedToSeq = null, details = '' } = row ?? {};
  return prunedToSeq === null ? null : { prunedToSeq, details };
}

/** The number and hash of the last of at most `limit` oldest rows, all of them before `time`. */
export async function findPrunePoint(
  db: Db,
  time: string,
  limit: number,
): Promise<{ seq: number; hash: string } | null> {
  const oldest = await db
    .selectFrom('auditLog')
    .select(['seq', 'hash', 'at'])
    .orderBy('seq')
    .limit(limit)
    .execute();
  // The clock may have been set back: only what lies before the first younger row goes.
  const young = oldest.findIndex(({ at }) => at >= time);
  return (young === -1 ? oldest : oldest.slice(0, young)).at(-1) ?? null;
}

export async function deleteAuditRowsUpTo(db: Db, seq: number): Promise<void> {
  await db.deleteFrom('auditLog').where('seq', '<=', seq).execute();
}

/** What a row's hash covers: every column. */
export function auditRecord(row: AuditRow): Record<string, JsonValue> {
  return {
    seq: row.seq,
    realm: row.realm,
    at: row.at,
    action: row.action,
    actor_kind: row.actorKind,
    actor_id: row.actorId,
    actor_name: row.actorName,
    address: row.address,
    resource: row.resource,
    details: row.details,
    pruned_to_seq: row.prunedToSeq,
  };
}
