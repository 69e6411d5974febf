import { createHash } from 'node:crypto';

import type { ChainRow } from '#shared/audit-chain.ts';
import type { Database } from '#shared/database.ts';
import type { JsonValue } from '#shared/json-value.ts';

/** A row as it is stored; `details` is JSON text. */
export type StoredAuditRow = {
  seq: number;
  at: string;
  action: string;
  app: string | null;
  address: string | null;
  outcome: string | null;
  runId: string | null;
  prompt: string | null;
  details: string;
  prunedToSeq: number | null;
  previousHash: string;
  hash: string;
};

export type AuditFilter = {
  app?: string | undefined;
  outcome?: string | undefined;
  action?: string | undefined;
  /** ISO times: from `since` on, before `until`. */
  since?: string | undefined;
  until?: string | undefined;
};

export type AuditListRow = Omit<StoredAuditRow, 'previousHash' | 'prunedToSeq'> & {
  promptChars: number | null;
};

export type AuditAnchor = { prunedToSeq: number; prunedToHash: string | null };

export type AuditStore = {
  head(): { seq: number; hash: string } | undefined;
  /** The highest number ever given, also to a row that has gone. */
  lastSeq(): number;
  insert(row: StoredAuditRow): void;
  list(filter: AuditFilter, beforeSeq: number, limit: number): AuditListRow[];
  firstSeq(): number | undefined;
  newestAnchor(): AuditAnchor | undefined;
  /** Those after `seq`, in order; 0 gives all. */
  chainAfter(seq: number): Iterable<ChainRow>;
  hashAt(seq: number): string | undefined;
  /** The number and hash of the last of at most `limit` oldest rows, all of them before `time`. */
  prunePoint(time: string, limit: number): { seq: number; hash: string } | undefined;
  deleteUpTo(seq: number): number;
  /** One consistent view for everything read inside. */
  snapshot<T>(read: () => T): T;
};

const promptCharsListed = 65_536;

const filterTerms = {
  app: 'app = @app',
  outcome: 'outcome = @outcome',
  action: 'action = @action',
  since: 'at >= @since',
  until: 'at < @until',
} as const satisfies Record<keyof AuditFilter, string>;

const filterNames = ['app', 'outcome', 'action', 'since', 'until'] as const;

export function createAuditStore(db: Database): AuditStore {
  const head = db.prepare<[], { seq: number; hash: string }>(
    'select seq, hash from audit_log order by seq desc limit 1',
  );
  const lastSeq = db.prepare<[], { seq: number }>(
    "select seq from sqlite_sequence where name = 'audit_log'",
  );
  const insert = db.prepare<[StoredAuditRow]>(
    `insert into audit_log (seq, at, action, app, address, outcome, run_id, prompt, details,
       pruned_to_seq, previous_hash, hash)
     values (@seq, @at, @action, @app, @address, @outcome, @runId, @prompt, @details,
       @prunedToSeq, @previousHash, @hash)`,
  );
  const firstSeq = db.prepare<[], { seq: number | null }>('select min(seq) as seq from audit_log');
  const newestAnchor = db.prepare<[], AuditAnchor>(
    `select pruned_to_seq as prunedToSeq,
       iif(json_valid(details), details ->> 'pruned_to_hash', null) as prunedToHash
     from audit_log
     where pruned_to_seq is not null order by seq desc limit 1`,
  );
  const chainAfter = db.prepare<[number], StoredAuditRow>(
    `select seq, at, action, app, address, outcome, run_id as runId, prompt, details,
       pruned_to_seq as prunedToSeq, previous_hash as previousHash, hash
     from audit_log where seq > ? order by seq`,
  );
  const hashAt = db.prepare<[number], { hash: string }>('select hash from audit_log where seq = ?');
  const prunePoint = db.prepare<[{ time: string; limit: number }], { seq: number; hash: string }>(
    `with oldest as (select seq, at, hash from audit_log order by seq limit @limit)
     select seq, hash from oldest
     where seq < coalesce((select min(seq) from oldest where at >= @time), 9e18)
     order by seq desc limit 1`,
  );
  const deleteUpTo = db.prepare<[number]>('delete from audit_log where seq <= ?');

  return {
    head: () => head.get(),
    lastSeq: () => lastSeq.get()?.seq ?? 0,
    insert: (row) => {
      insert.run(row);
    },
    list: (filter, beforeSeq, limit) =>
      db
        .prepare<[AuditFilter & { beforeSeq: number; limit: number }], AuditListRow>(
          listSql(filter),
        )
        .all({ ...filter, beforeSeq, limit }),
    firstSeq: () => firstSeq.get()?.seq ?? undefined,
    newestAnchor: () => newestAnchor.get(),
    chainAfter: (seq) => chainRows(chainAfter.iterate(seq)),
    hashAt: (seq) => hashAt.get(seq)?.hash,
    prunePoint: (time, limit) => prunePoint.get({ time, limit }),
    deleteUpTo: (seq) => deleteUpTo.run(seq).changes,
    snapshot: (read) => db.transaction(read)(),
  };
}

function listSql(filter: AuditFilter): string {
  const terms = filterNames
    .filter((name) => filter[name] !== undefined)
    .map((name) => filterTerms[name]);
  return `select seq, at, action, app, address, outcome, run_id as runId,
      substr(prompt, 1, ${promptCharsListed}) as prompt, length(prompt) as promptChars,
      details, hash
    from audit_log
    where ${['seq < @beforeSeq', ...terms].join(' and ')}
    order by seq desc limit @limit`;
}

function* chainRows(rows: Iterable<StoredAuditRow>): Generator<ChainRow> {
  for (const row of rows) {
    const { seq, previousHash, hash } = row;
    yield { seq, previousHash, hash, record: auditRecord(row) };
  }
}

/** What a row's hash covers: every column, the prompt by its digest since it may be 10 MB. */
export function auditRecord(
  row: Omit<StoredAuditRow, 'previousHash' | 'hash'>,
): Record<string, JsonValue> {
  return {
    seq: row.seq,
    at: row.at,
    action: row.action,
    app: row.app,
    address: row.address,
    outcome: row.outcome,
    run_id: row.runId,
    prompt_sha256:
      row.prompt === null ? null : createHash('sha256').update(row.prompt).digest('hex'),
    details: row.details,
    pruned_to_seq: row.prunedToSeq,
  };
}
