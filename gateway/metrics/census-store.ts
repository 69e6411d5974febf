// How much there is of what only the database knows, counted whenever the metrics are read.
import type { Database } from '#shared/database.ts';

import type { RunState } from '../runs/run-state.ts';

export type RunsUnderWay = {
  app: string;
  state: Extract<RunState, 'starting' | 'running'>;
  runs: number;
};

export type CensusStore = {
  runsUnderWay: () => RunsUnderWay[];
  /** Expired ones too, until they are swept away. */
  files: () => { files: number; bytes: number };
  /** That have not ended. */
  sessions: () => number;
  /** Of an app that was revoked as well. */
  appName: (appId: number) => string;
};

export function createCensusStore(db: Database): CensusStore {
  // The first condition is what lets SQLite use the index of open runs.
  const runsUnderWay = db.prepare<[], RunsUnderWay>(
    `select a.name as app, r.state, count(*) as runs
     from runs r join apps a on a.app_id = r.app_id
     where r.state <> 'ended' and r.state in ('starting', 'running')
     group by a.name, r.state`,
  );
  const files = db.prepare<[], { files: number; bytes: number }>(
    'select count(*) as files, coalesce(sum(size), 0) as bytes from files',
  );
  const sessions = db.prepare<[], { sessions: number }>(
    'select count(*) as sessions from sessions where ended_at is null',
  );
  const appName = db.prepare<[number], { name: string }>('select name from apps where app_id = ?');
  return {
    runsUnderWay: () => runsUnderWay.all(),
    files: () => files.get() ?? { files: 0, bytes: 0 },
    sessions: () => sessions.get()?.sessions ?? 0,
    appName: (appId) => appName.get(appId)?.name ?? 'unknown',
  };
}
