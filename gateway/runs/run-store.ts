// The runs table.
import type { Database } from '#shared/database.ts';

import type { Outcome } from './outcome.ts';

export type RunRow = {
  runId: string;
  appId: number;
  /** What the audit row will say, as JSON; kept until the run has ended. */
  auditDraft: string;
  createdAt: string;
};

export type RunState = 'queued' | 'running' | 'ended';

export type RunStore = {
  insert: (run: RunRow) => void;
  start: (runId: string, startedAt: string) => void;
  end: (
    runId: string,
    end: { outcome: Outcome; survivors: number | null; endedAt: string },
  ) => void;
  /** Runs that have not ended, oldest first. */
  open: () => RunRow[];
  /** Null for one that is not ours, or was forgotten a day after its end. */
  stateOf: (runId: string) => RunState | null;
  removeEndedBefore: (endedAt: string) => number;
};

export function createRunStore(db: Database): RunStore {
  const insert = db.prepare<[string, number, string, string]>(
    `insert into runs (run_id, app_id, state, audit_draft, created_at) values (?, ?, 'queued', ?, ?)`,
  );
  const start = db.prepare<[string, string]>(
    `update runs set state = 'running', started_at = ? where run_id = ? and state = 'queued'`,
  );
  const end = db.prepare<[Outcome, number | null, string, string]>(
    `update runs set state = 'ended', outcome = ?, survivors = ?, ended_at = ?, audit_draft = null
     where run_id = ? and state <> 'ended'`,
  );
  const open = db.prepare<[], RunRow>(
    `select run_id as runId, app_id as appId, audit_draft as auditDraft, created_at as createdAt
     from runs where state <> 'ended' order by run_seq`,
  );
  const stateOf = db.prepare<[string], { state: RunState }>(
    'select state from runs where run_id = ?',
  );
  const removeEndedBefore = db.prepare<[string]>(
    `delete from runs where state = 'ended' and ended_at < ?`,
  );
  return {
    insert: (run) => void insert.run(run.runId, run.appId, run.auditDraft, run.createdAt),
    start: (runId, startedAt) => mustChange(start.run(startedAt, runId).changes, runId),
    end: (runId, { outcome, survivors, endedAt }) =>
      mustChange(end.run(outcome, survivors, endedAt, runId).changes, runId),
    open: () => open.all(),
    stateOf: (runId) => stateOf.get(runId)?.state ?? null,
    removeEndedBefore: (endedAt) => removeEndedBefore.run(endedAt).changes,
  };
}

function mustChange(changes: number, runId: string): void {
  if (changes !== 1) throw new Error(`run ${runId} is not in the state this move begins at`);
}
