// The append-only, hash-chained record of who changed what.
import { chainGenesis, chainHash, verifyChain } from '#shared/audit-chain.ts';
import type { ChainStart, ChainVerdict } from '#shared/audit-chain.ts';
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AuditRow, Db } from '../database/tables.ts';
import {
  auditRecord,
  deleteAuditRowsUpTo,
  findPrunePoint,
  insertAuditRow,
  listAuditRows,
  readChain,
  readChainHead,
  readLastAuditSeq,
  readNewestAnchor,
} from './audit-store.ts';
import type { AuditFilter } from './audit-store.ts';

export type AuditEntry = {
  /** Such as `agent.created`. */
  action: string;
  actor: AuditActor;
  address: string | null;
  /** Such as `agent:agent_…`. */
  resource: string | null;
  details?: Readonly<Record<string, JsonValue>>;
};

export type AuditActor = {
  kind: 'user' | 'key' | 'host' | 'nobody' | 'system';
  id: string | null;
  name: string | null;
};

export const systemActor: AuditActor = { kind: 'system', id: null, name: null };

export type AuditLog = {
  /** Inside the transaction of what it records. */
  append: (db: Db, entry: AuditEntry) => Promise<void>;
  /** Newest first. */
  list: (
    db: Db,
    query: AuditFilter & { before: number; limit: number },
  ) => Promise<{ items: AuditRow[]; next: string | null }>;
  /** Inside a transaction: removes some of the oldest rows, those before `olderThan` (ISO), and leaves an anchor. Gives how many went. */
  prune: (db: Db, olderThan: string) => Promise<number>;
  verify: (db: Db, expectedHash?: string) => Promise<ChainVerdict>;
};

const pruneBatch = 500;
const verifyBatch = 1000;

export function createAuditLog(realm: string, clock: Clock): AuditLog {
  /** The last row that a transaction has written, which saves its next one the question. */
  const heads = new WeakMap<Db, { seq: number; hash: string }>();
  const appendRow = async (
    db: Db,
    { action, actor, address, resource, details = {} }: AuditEntry,
    prunedToSeq: number | null,
  ): Promise<void> => {
    const head = heads.get(db) ??
      (await readChainHead(db)) ?? {
        seq: await readLastAuditSeq(db, realm),
        hash: chainGenesis.hash,
      };
    const row = {
      seq: head.seq + 1,
      realm,
      at: isoTime(clock.now()),
      action,
      actorKind: actor.kind,
      actorId: actor.id,
      actorName: actor.name,
      address,
      resource,
      details: JSON.stringify(details),
      prunedToSeq,
      previousHash: head.hash,
      hash: '',
    };
    const hash = chainHash(head.hash, auditRecord(row));
    await insertAuditRow(db, { ...row, hash });
    heads.set(db, { seq: row.seq, hash });
  };
  return {
    append: (db, entry) => appendRow(db, entry, null),
    async list(db, { before, limit, ...filter }) {
      const rows = await listAuditRows(db, filter, before, limit + 1);
      const items = rows.slice(0, limit);
      const last = items.at(-1);
      return { items, next: rows.length > limit && last !== undefined ? String(last.seq) : null };
    },
    async prune(db, olderThan) {
      const point = await findPrunePoint(db, olderThan, pruneBatch);
      if (point === null) return 0;
      const details = { pruned_to_seq: point.seq, pruned_to_hash: point.hash, before: olderThan };
      const entry = { action: 'audit.pruned', actor: systemActor, address: null, resource: null };
      await appendRow(db, { ...entry, details }, point.seq);
      await deleteAuditRowsUpTo(db, point.seq);
      return pruneBatch;
    },
    verify: (db, expectedHash) => verify(db, realm, expectedHash),
  };
}

async function verify(db: Db, realm: string, expectedHash?: string): Promise<ChainVerdict> {
  let start = await chainStart(db);
  let rows = 0;
  let isSeen = expectedHash === undefined || start.hash === expectedHash;
  for (;;) {
    const some = await readChain(db, start.seq, verifyBatch);
    const verdict = verifyChain(some, start);
    if (!verdict.ok) return { ...verdict, rows: rows + verdict.rows };
    rows += verdict.rows;
    isSeen ||= some.some(({ hash }) => hash === expectedHash);
    start = { seq: verdict.headSeq, hash: verdict.headHash };
    if (some.length < verifyBatch) break;
  }
  const lastSeq = await readLastAuditSeq(db, realm);
  const isShort = start.seq < lastSeq;
  if (isShort || !isSeen) {
    const reason = isShort
      ? `rows up to ${lastSeq} were written: the end of the log is missing`
      : 'no row has the expected hash: the end of the log is missing';
    return { ok: false, rows, brokenAtSeq: start.seq + 1, reason };
  }
  return { ok: true, rows, headSeq: start.seq, headHash: start.hash };
}

// The anchor is itself a row of the chain, so a forged one shows when it is reached.
async function chainStart(db: Db): Promise<ChainStart> {
  const anchor = await readNewestAnchor(db);
  if (anchor === null) return chainGenesis;
  const details: unknown = JSON.parse(anchor.details);
  const hash =
    typeof details === 'object' && details !== null && 'pruned_to_hash' in details
      ? details.pruned_to_hash
      : null;
  return typeof hash === 'string' ? { seq: anchor.prunedToSeq, hash } : chainGenesis;
}
