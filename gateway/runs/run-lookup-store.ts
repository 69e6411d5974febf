// Runs as they are found again: one, a page of them, those that are open.
import type { Database } from '#shared/database.ts';

import type { Outcome } from './outcome.ts';
import type { RunState } from './run-state.ts';

export type StoredRun = {
  runSeq: number;
  runId: string;
  appId: number;
  appName: string;
  state: RunState;
  isDetached: boolean;
  onInterrupt: 'fail' | 'retry';
  attempt: number;
  requestedModel: string | null;
  metadata: string;
  traceparent: string | null;
  sessionSeq: number | null;
  sessionId: string | null;
  isCancelAsked: boolean;
  isAppRevoked: boolean;
  pid: number | null;
  outcome: Outcome | null;
  message: string | null;
  durationMs: number | null;
  model: string | null;
  costMicroUsd: number | null;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
};

export type RunFilter = {
  appId?: number | undefined;
  /** Also of apps that were revoked. */
  appName?: string | undefined;
  state?: RunState | undefined;
};

export type RunLookups = {
  /** Null for one that is not there, or was forgotten a day after its end. */
  find: (runId: string) => StoredRun | null;
  /** Newest first, those older than `beforeSeq`. */
  list: (filter: RunFilter, beforeSeq: number, limit: number) => StoredRun[];
  /** Runs that have not ended, oldest first. */
  open: () => StoredRun[];
  /** The newest of an app that were not completed. */
  lastFailures: (appId: number, limit: number) => StoredRun[];
  stateOf: (runId: string) => RunState | null;
};

type Flag = 'isDetached' | 'isCancelAsked' | 'isAppRevoked';
type RunRow = Omit<StoredRun, Flag> & Record<Flag, number>;

const columns = `r.run_seq as runSeq, r.run_id as runId, r.app_id as appId, a.name as appName, r.state,
  r.detached as isDetached, r.on_interrupt as onInterrupt, r.attempt, r.requested_model as requestedModel,
  r.metadata, r.traceparent, r.session_seq as sessionSeq, s.session_id as sessionId, r.cancel_asked_at is not null as isCancelAsked,
  a.revoked_at is not null as isAppRevoked, r.pid, r.outcome, r.message,
  r.duration_ms as durationMs, r.model, r.cost_micro_usd as costMicroUsd,
  r.created_at as createdAt, r.started_at as startedAt, r.ended_at as endedAt`;
const tables = `runs r join apps a on a.app_id = r.app_id
  left join sessions s on s.session_seq = r.session_seq`;

export function createRunLookups(db: Database): RunLookups {
  const find = db.prepare<[string], RunRow>(`select ${columns} from ${tables} where r.run_id = ?`);
  const open = db.prepare<[], RunRow>(
    `select ${columns} from ${tables} where r.state <> 'ended' order by r.run_seq`,
  );
  const lastFailures = db.prepare<[number, number], RunRow>(
    `select ${columns} from ${tables}
     where r.app_id = ? and r.outcome <> 'completed' order by r.run_seq desc limit ?`,
  );
  const stateOf = db.prepare<[string], { state: RunState }>(
    'select state from runs where run_id = ?',
  );
  return {
    find(runId) {
      const row = find.get(runId);
      return row === undefined ? null : toRun(row);
    },
    list: (filter, beforeSeq, limit) =>
      db
        .prepare<[RunFilter & { beforeSeq: number; limit: number }], RunRow>(listSql(filter))
        .all({ ...filter, beforeSeq, limit })
        .map(toRun),
    open: () => open.all().map(toRun),
    lastFailures: (appId, limit) => lastFailures.all(appId, limit).map(toRun),
    stateOf: (runId) => stateOf.get(runId)?.state ?? null,
  };
}

const filterTerms = {
  appId: 'r.app_id = @appId',
  appName: 'r.app_id in (select app_id from apps where name = @appName)',
  state: 'r.state = @state',
} as const satisfies Record<keyof RunFilter, string>;

function listSql({ appId, appName, state }: RunFilter): string {
  const terms = [
    ...(appId === undefined ? [] : [filterTerms.appId]),
    ...(appName === undefined ? [] : [filterTerms.appName]),
    ...(state === undefined ? [] : [filterTerms.state]),
    // Said twice, so that the index of the few open ones is used.
    ...(state === undefined || state === 'ended' ? [] : ["r.state <> 'ended'"]),
  ];
  return `select ${columns} from ${tables}
    where ${['r.run_seq < @beforeSeq', ...terms].join(' and ')}
    order by r.run_seq desc limit @limit`;
}

function toRun(row: RunRow): StoredRun {
  return {
    ...row,
    isDetached: row.isDetached === 1,
    isCancelAsked: row.isCancelAsked === 1,
    isAppRevoked: row.isAppRevoked === 1,
  };
}
