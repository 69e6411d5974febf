// The runs table, with what a run was asked and what it answered.
import type { Database } from '#shared/database.ts';

import type { Outcome } from './outcome.ts';
import { createRunLookups } from './run-lookup-store.ts';
import type { RunLookups } from './run-lookup-store.ts';

export type { RunFilter, StoredRun } from './run-lookup-store.ts';
import { runMoves } from './run-state.ts';
import type { RunMove } from './run-state.ts';

export type NewRun = {
  runId: string;
  appId: number;
  isDetached: boolean;
  onInterrupt: 'fail' | 'retry';
  sessionSeq: number | null;
  requestedModel: string;
  /** JSON. */
  metadata: string;
  traceparent: string | null;
  /** What the audit row will say, as JSON; kept until the run has ended. */
  auditDraft: string;
  createdAt: string;
};

export type StoredRequest = { prompt: string; system: string | null; settings: string };
export type StoredAnswer = { statusCode: number; body: string };

export type RunEnding = {
  outcome: Outcome;
  message: string | null;
  survivors: number | null;
  durationMs: number | null;
  model: string | null;
  inputTokens: number | null;
  outputTokens: number | null;
  costMicroUsd: number | null;
  endedAt: string;
};

export type RunUsageRow = {
  outcome: Outcome;
  runs: number;
  inputTokens: number;
  outputTokens: number;
  costMicroUsd: number;
};

export type RunStore = RunLookups & {
  /** Gives the number of its row. */
  insert: (run: NewRun) => number;
  insertRequest: (runSeq: number, request: StoredRequest) => void;
  readRequest: (runSeq: number) => StoredRequest | null;
  pinFiles: (runSeq: number, fileTokens: readonly string[]) => void;
  pinnedFiles: (runSeq: number) => string[];
  /** These four throw unless the run is in a state their move begins at. */
  claim: (runSeq: number) => void;
  begin: (runSeq: number, startedAt: string, pid: number | null) => void;
  putBack: (runSeq: number) => void;
  end: (runSeq: number, ending: RunEnding) => void;
  insertAnswer: (runSeq: number, answer: StoredAnswer) => void;
  readAnswer: (runSeq: number) => StoredAnswer | null;
  askCancel: (runSeq: number, at: string) => void;
  auditDraftOf: (runSeq: number) => string | null;
  /** At most `limit` of those that ended before `endedAt`; gives how many went. */
  removeEndedBefore: (endedAt: string, limit: number) => number;
  /** What an app's runs came to since then, by how they ended; those that have not ended are left out. */
  usage: (appId: number, since: string) => RunUsageRow[];
  /** How long completed runs took lately, per app. */
  typicalDurations: () => { appId: number; durationMs: number }[];
};

export function createRunStore(db: Database): RunStore {
  return { ...moves(db), ...texts(db), ...createRunLookups(db), ...upkeep(db) };
}

function moves(db: Database) {
  const insert = db.prepare<[Omit<NewRun, 'isDetached'> & { isDetached: number }]>(
    `insert into runs (run_id, app_id, state, detached, on_interrupt, requested_model, metadata, traceparent,
       session_seq, audit_draft, created_at)
     values (@runId, @appId, 'queued', @isDetached, @onInterrupt, @requestedModel, @metadata, @traceparent,
       @sessionSeq, @auditDraft, @createdAt)`,
  );
  const claim = db.prepare<[number]>(moveSql('claim', 'attempt = attempt + 1'));
  const begin = db.prepare<[string, number | null, number]>(
    moveSql('begin', 'started_at = ?, pid = ?'),
  );
  const putBack = db.prepare<[number]>(moveSql('putBack', 'started_at = null, pid = null'));
  const end = db.prepare<[RunEnding & { runSeq: number }]>(
    moveSql(
      'end',
      `outcome = @outcome, message = @message, survivors = @survivors, duration_ms = @durationMs, model = @model,
       input_tokens = @inputTokens, output_tokens = @outputTokens, cost_micro_usd = @costMicroUsd,
       ended_at = @endedAt, audit_draft = null, pid = null`,
      '@runSeq',
    ),
  );
  const askCancel = db.prepare<[string, number]>(
    `update runs set cancel_asked_at = coalesce(cancel_asked_at, ?) where run_seq = ?`,
  );
  return {
    insert: (run: NewRun) =>
      Number(insert.run({ ...run, isDetached: run.isDetached ? 1 : 0 }).lastInsertRowid),
    claim: (runSeq: number) => mustMove(claim.run(runSeq).changes, runSeq),
    begin: (runSeq: number, startedAt: string, pid: number | null) =>
      mustMove(begin.run(startedAt, pid, runSeq).changes, runSeq),
    putBack: (runSeq: number) => mustMove(putBack.run(runSeq).changes, runSeq),
    end: (runSeq: number, ending: RunEnding) =>
      mustMove(end.run({ ...ending, runSeq }).changes, runSeq),
    askCancel: (runSeq: number, at: string) => void askCancel.run(at, runSeq),
  };
}

function moveSql(move: RunMove, assignments: string, runSeq = '?'): string {
  const { from, to } = runMoves[move];
  const states = from.map((state) => `'${state}'`).join(', ');
  return `update runs set state = '${to}', ${assignments} where run_seq = ${runSeq} and state in (${states})`;
}

function mustMove(changes: number, runSeq: number): void {
  if (changes !== 1) throw new Error(`run ${runSeq} is not in a state this move begins at`);
}

function texts(db: Database) {
  const insertRequest = db.prepare<[StoredRequest & { runSeq: number }]>(
    `insert into run_requests (run_seq, prompt, system, settings)
     values (@runSeq, @prompt, @system, @settings)`,
  );
  const readRequest = db.prepare<[number], StoredRequest>(
    'select prompt, system, settings from run_requests where run_seq = ?',
  );
  const removeRequest = db.prepare<[number]>('delete from run_requests where run_seq = ?');
  const pinFile = db.prepare<[number, number, string]>(
    'insert into run_files (run_seq, position, file_token) values (?, ?, ?)',
  );
  const pinned = db.prepare<[number], { fileToken: string }>(
    'select file_token as fileToken from run_files where run_seq = ? order by position',
  );
  const unpin = db.prepare<[number]>('delete from run_files where run_seq = ?');
  const insertAnswer = db.prepare<[StoredAnswer & { runSeq: number }]>(
    'insert into run_answers (run_seq, status_code, body) values (@runSeq, @statusCode, @body)',
  );
  const readAnswer = db.prepare<[number], StoredAnswer>(
    'select status_code as statusCode, body from run_answers where run_seq = ?',
  );
  const auditDraft = db.prepare<[number], { auditDraft: string | null }>(
    'select audit_draft as auditDraft from runs where run_seq = ?',
  );
  return {
    insertRequest: (runSeq: number, request: StoredRequest) =>
      void insertRequest.run({ ...request, runSeq }),
    readRequest: (runSeq: number) => readRequest.get(runSeq) ?? null,
    pinFiles: (runSeq: number, fileTokens: readonly string[]) => {
      for (const [position, fileToken] of fileTokens.entries()) {
        pinFile.run(runSeq, position, fileToken);
      }
    },
    pinnedFiles: (runSeq: number) => pinned.all(runSeq).map(({ fileToken }) => fileToken),
    insertAnswer: (runSeq: number, answer: StoredAnswer) => {
      removeRequest.run(runSeq);
      unpin.run(runSeq);
      insertAnswer.run({ ...answer, runSeq });
    },
    readAnswer: (runSeq: number) => readAnswer.get(runSeq) ?? null,
    auditDraftOf: (runSeq: number) => auditDraft.get(runSeq)?.auditDraft ?? null,
  };
}

function upkeep(db: Database) {
  const removeEndedBefore = db.prepare<[string, number]>(
    `delete from runs where run_seq in
       (select run_seq from runs where state = 'ended' and ended_at < ? order by ended_at limit ?)`,
  );
  const usage = db.prepare<[number, string], RunUsageRow>(
    `select outcome, count(*) as runs, coalesce(sum(input_tokens), 0) as inputTokens,
       coalesce(sum(output_tokens), 0) as outputTokens, coalesce(sum(cost_micro_usd), 0) as costMicroUsd
     from runs where app_id = ? and ended_at >= ? group by outcome`,
  );
  const typicalDurations = db.prepare<[], { appId: number; durationMs: number }>(
    `select app_id as appId, avg(duration_ms) as durationMs from
       (select app_id, duration_ms, row_number() over (partition by app_id order by run_seq desc) as nth
        from runs where outcome = 'completed' and duration_ms is not null)
     where nth <= 20 group by app_id`,
  );
  return {
    removeEndedBefore: (endedAt: string, limit: number) =>
      removeEndedBefore.run(endedAt, limit).changes,
    usage: (appId: number, since: string) => usage.all(appId, since),

    typicalDurations: () => typicalDurations.all(),
  };
}
