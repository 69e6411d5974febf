// The append-only, hash-chained record of what was run and what was administered.
import { chainGenesis, chainHash, verifyChain } from '#shared/audit-chain.ts';
import type { ChainStart, ChainVerdict } from '#shared/audit-chain.ts';
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';
import { requestError } from '#shared/errors.ts';
import type { JsonValue } from '#shared/json-value.ts';

import { auditRecord, createAuditStore } from './audit-store.ts';
import type { AuditFilter, AuditListRow, AuditStore } from './audit-store.ts';

export type AuditAction =
  | 'run'
  | 'run.cancelled'
  | 'token.created'
  | 'token.rotated'
  | 'token.changed'
  | 'token.revoked'
  | 'session.created'
  | 'session.ended'
  | 'audit.pruned';

export type AuditEntry = {
  action: AuditAction;
  /** The app's name. */
  app: string | null;
  address: string | null;
  outcome?: string | undefined;
  runId?: string | undefined;
  prompt?: string | null | undefined;
  details: Readonly<Record<string, JsonValue>>;
};

/** An audit row as `GET /admin/audit` shows it. */
export type AuditItem = {
  seq: number;
  at: string;
  action: string;
  app: string | null;
  address: string | null;
  outcome: string | null;
  run_id: string | null;
  prompt: string | null;
  prompt_chars: number | null;
  prompt_truncated: boolean;
  details: Record<string, JsonValue>;
  hash: string;
};

export type AuditQuery = AuditFilter & {
  /** The `next` of the page before. */
  after?: string | undefined;
  limit: number;
};

export type AuditPage = { items: AuditItem[]; next: string | null };

export type AuditLog = {
  /** Synchronous: call it inside the transaction of what it records. */
  append(entry: AuditEntry): void;
  /** Newest first. */
  list(query: AuditQuery): AuditPage;
  /**
   * Inside a transaction: removes some of the oldest rows, those before `olderThan` (ISO), leaves
   * an anchor, and says how many went. Call it until it says 0.
   */
  prune(olderThan: string): number;
  verify(expectedHash?: string): ChainVerdict;
  /** Only that many of the newest rows, where there are more. */
  verifyNewest(rows: number): { verdict: ChainVerdict; isPartial: boolean };
};

const pruneBatch = 500;

export function createAuditLog(db: Database, clock: Clock): AuditLog {
  const store = createAuditStore(db);

  function appendRow(entry: AuditEntry, prunedToSeq: number | null): void {
    const row = {
      seq: store.lastSeq() + 1,
      at: isoTime(clock.now()),
      action: entry.action,
      app: entry.app,
      address: entry.address,
      outcome: entry.outcome ?? null,
      runId: entry.runId ?? null,
      prompt: entry.prompt ?? null,
      details: JSON.stringify(entry.details),
      prunedToSeq,
    };
    const previousHash = (store.head() ?? chainGenesis).hash;
    store.insert({ ...row, previousHash, hash: chainHash(previousHash, auditRecord(row)) });
  }

  function prune(olderThan: string): number {
    const point = store.prunePoint(olderThan, pruneBatch);
    if (point === undefined) {
      return 0;
    }
    const details = { pruned_to_seq: point.seq, pruned_to_hash: point.hash, before: olderThan };
    appendRow({ action: 'audit.pruned', app: null, address: null, details }, point.seq);
    return store.deleteUpTo(point.seq);
  }

  return {
    append: (entry) => {
      appendRow(entry, null);
    },
    list: (query) => listPage(store, query),
    prune,
    verify: (expectedHash) => store.snapshot(() => verifyStore(store, expectedHash)),
    verifyNewest: (rows) => store.snapshot(() => verifyNewest(store, rows)),
  };
}

function listPage(store: AuditStore, query: AuditQuery): AuditPage {
  const { after, limit, ...filter } = query;
  const rows = store.list(filter, readCursor(after), limit + 1);
  const items = rows.slice(0, limit).map(toItem);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? String(last.seq) : null };
}

function readCursor(after: string | undefined): number {
  if (after === undefined) {
    return Number.MAX_SAFE_INTEGER;
  }
  if (!/^\d{1,15}$/.test(after)) {
    throw requestError('invalid_request', 'after is not the next of an earlier page', {
      details: { field: 'after' },
    });
  }
  return Number(after);
}

function toItem(row: AuditListRow): AuditItem {
  const { runId, promptChars, details, prompt, hash, ...rest } = row;
  const truncated = promptChars !== null && prompt !== null && promptChars > charCount(prompt);
  return {
    ...rest,
    run_id: runId,
    prompt,
    prompt_chars: promptChars,
    prompt_truncated: truncated,
    details: readDetails(details),
    hash,
  };
}

// SQLite counts code points, JavaScript UTF-16 units.
function charCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    count -= unit >= 0xdc00 && unit <= 0xdfff ? 1 : 0;
  }
  return count;
}

function readDetails(text: string): Record<string, JsonValue> {
  const details: Record<string, JsonValue> = JSON.parse(text);
  return details;
}

function verifyStore(store: AuditStore, expectedHash: string | undefined): ChainVerdict {
  // Everything that is there, also what lies before the start: a row that should have gone is a break.
  return withEnd(store, verifyChain(store.chainAfter(0), chainStart(store), expectedHash));
}

function verifyNewest(
  store: AuditStore,
  rows: number,
): { verdict: ChainVerdict; isPartial: boolean } {
  const startSeq = store.lastSeq() - rows;
  const hash = startSeq > (store.firstSeq() ?? startSeq) ? store.hashAt(startSeq) : undefined;
  // A start that is missing is found by looking at everything.
  if (hash === undefined) return { verdict: verifyStore(store, undefined), isPartial: false };
  const verdict = verifyChain(store.chainAfter(startSeq), { seq: startSeq, hash });
  return { verdict: withEnd(store, verdict), isPartial: true };
}

function withEnd(store: AuditStore, verdict: ChainVerdict): ChainVerdict {
  const lastSeq = store.lastSeq();
  if (verdict.ok && verdict.headSeq < lastSeq) {
    const reason = `rows up to ${lastSeq} were written: the end of the log is missing`;
    return { ok: false, rows: verdict.rows, brokenAtSeq: verdict.headSeq + 1, reason };
  }
  return verdict;
}

// The anchor is itself a row of the chain, so a forged one shows when it is reached.
function chainStart(store: AuditStore): ChainStart {
  const firstSeq = store.firstSeq();
  const anchor = store.newestAnchor();
  return anchor?.prunedToHash != null && anchor.prunedToSeq + 1 === firstSeq
    ? { seq: anchor.prunedToSeq, hash: anchor.prunedToHash }
    : chainGenesis;
}
