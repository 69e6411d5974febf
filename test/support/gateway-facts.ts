// What can be seen of a gateway from outside: the rows of its database, its processes, what it left on disk, where secrets turned up.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { openGatewayDatabaseReadOnly } from '../../gateway/database/gateway-database.ts';
import { directoryBytes } from '../../gateway/sandbox/run-directory.ts';
import type { Execution } from './execution-log.ts';
import { processesOfRuns, runOf } from './leak-check.ts';
import { commandLineOf } from './process-facts.ts';
import type { ProcessCounts } from './process-facts.ts';

export type RunRow = {
  runSeq: number;
  runId: string;
  appId: number;
  state: string;
  isDetached: 0 | 1;
  onInterrupt: 'fail' | 'retry';
  attempt: number;
  auditDraft: string | null;
  outcome: string | null;
};
export type EventRow = { runSeq: number; seq: number; type: string; data: string; at: string };
export type AnswerRow = { runSeq: number; statusCode: number; body: string };
export type KeyRow = { key: string; runSeq: number | null; statusCode: number | null };
export type AuditRow = { runId: string | null; outcome: string | null };

export type GatewayFacts = {
  runs: readonly RunRow[];
  events: readonly EventRow[];
  answers: readonly AnswerRow[];
  /** Of runs whose request is still stored. */
  requests: readonly number[];
  /** Of runs that still have files pinned. */
  pinned: readonly number[];
  keys: readonly KeyRow[];
  /** Of action `run`. */
  audit: readonly AuditRow[];
  /** Null when the hash chain verifies. */
  chainFault: string | null;
  executions: readonly Execution[];
  /** Live ones that carry the id of a run. */
  processes: readonly { pid: number; runId: string }[];
  /** Run directories, and bytes of uploads that no row knows. */
  left: readonly { path: string; bytes: number }[];
  /** Secrets, by name, and where they were found. */
  leaks: readonly { secret: string; where: string }[];
  /** Of the gateway at rest, where it was looked at twice. */
  counts: { before: ProcessCounts; after: ProcessCounts } | null;
  /** Ids that an app was told. */
  told: readonly string[];
  /** Runs of all apps that may be under way at one time. */
  concurrency: number;
};

export type FactSources = {
  dataDir: string;
  executions: readonly Execution[];
  concurrency: number;
  told?: readonly string[];
  counts?: GatewayFacts['counts'];
  /** Secrets, by name. */
  secrets?: Readonly<Record<string, string>>;
  /** Logs, bodies of errors, command lines: by name. */
  texts?: Readonly<Record<string, string>>;
};

export async function gatherFacts(sources: FactSources): Promise<GatewayFacts> {
  const { dataDir, executions, concurrency, told = [], counts = null } = sources;
  const rows = readRows(dataDir);
  const runIds = new Set(rows.runs.map(({ runId }) => runId));
  const processes = processesOfRuns(runIds).map((pid) => ({ pid, runId: runOf(pid) ?? '' }));
  const commandLines = processes.map(({ pid }) => commandLineOf(pid)).join('\n');
  const texts = { ...sources.texts, ...databaseTexts(dataDir), 'a command line': commandLines };
  return {
    ...rows,
    ...{ executions: executions.map(rows.attributed), processes, concurrency, told, counts },
    left: await bytesLeft(dataDir, rows.fileTokens),
    leaks: leaksOf(sources.secrets ?? {}, texts),
  };
}

export type StoredRows = Pick<
  GatewayFacts,
  'runs' | 'events' | 'answers' | 'requests' | 'pinned' | 'keys' | 'audit' | 'chainFault'
> & {
  fileTokens: string[];
  /** An execution in a prepared process, under the id of the run whose `metadata.says` it said. */
  attributed: (execution: Execution) => Execution;
};

/** The gateway may be running. */
export function readRows(dataDir: string): StoredRows {
  const db = openGatewayDatabaseReadOnly(join(dataDir, 'gateway.db'));
  try {
    return db.transaction(() => rowsOf(db))();
  } finally {
    db.close();
  }
}

function rowsOf(db: Database): StoredRows {
  const all = <Row>(sql: string): Row[] => db.prepare<[], Row>(sql).all();
  const numbers = (table: string): number[] =>
    all<{ runSeq: number }>(`select distinct run_seq as runSeq from ${table}`).map(
      ({ runSeq }) => runSeq,
    );
  const saidBy = new Map(
    all<{ says: string; runId: string }>(
      `select details ->> '$.metadata.says' as says, run_id as runId
       from audit_log where action = 'run'`,
    ).map(({ says, runId }) => [says, runId]),
  );
  const verdict = createAuditLog(db, systemClock).verify();
  return {
    runs: all(
      `select run_seq as runSeq, run_id as runId, app_id as appId, state, detached as isDetached,
         on_interrupt as onInterrupt, attempt, audit_draft as auditDraft, outcome
       from runs order by run_seq`,
    ),
    events: all(
      `select run_seq as runSeq, event_seq as seq, type, data, at
       from run_events order by run_seq, event_seq`,
    ),
    answers: all('select run_seq as runSeq, status_code as statusCode, body from run_answers'),
    requests: numbers('run_requests'),
    pinned: numbers('run_files'),
    keys: all('select key, run_seq as runSeq, status_code as statusCode from idempotency_keys'),
    audit: all(`select run_id as runId, outcome from audit_log where action = 'run' order by seq`),
    chainFault: verdict.ok ? null : `row ${verdict.brokenAtSeq}: ${verdict.reason}`,
    attributed: (execution) =>
      isPrepared(execution.runId)
        ? { ...execution, runId: saidBy.get(execution.says ?? '') ?? execution.runId }
        : execution,
    fileTokens: all<{ token: string }>('select file_token as token from files').map(
      ({ token }) => token,
    ),
  };
}

function isPrepared(name: string): boolean {
  return name.startsWith('prepared_');
}

/** Of the gateway that lives; of one that was killed, no process is left. */
function isInUse(name: string): boolean {
  return isPrepared(name) && processesOfRuns(new Set([name])).length > 0;
}

async function bytesLeft(
  dataDir: string,
  fileTokens: readonly string[],
): Promise<{ path: string; bytes: number }[]> {
  const known = new Set(['incoming', ...fileTokens]);
  const names = (directory: string): string[] =>
    readdirSync(join(dataDir, directory)).map((name) => `${directory}/${name}`);
  const left = [
    // The lock of the directory is a hidden file.
    ...names('runs').filter((path) => !path.startsWith('runs/.') && !isInUse(basename(path))),
    ...names('files/incoming'),
    ...names('files').filter((path) => !known.has(path.slice('files/'.length))),
  ];
  return Promise.all(
    left.map(async (path) => ({
      path,
      bytes: await directoryBytes(join(dataDir, path), Number.POSITIVE_INFINITY),
    })),
  );
}

/** As the bytes lie on disk, also those of rows that are gone. */
function databaseTexts(dataDir: string): Record<string, string> {
  const names = readdirSync(dataDir).filter((name) => name.startsWith('gateway.db'));
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(dataDir, name), 'latin1')]),
  );
}

function leaksOf(
  secrets: Readonly<Record<string, string>>,
  texts: Readonly<Record<string, string>>,
): { secret: string; where: string }[] {
  return Object.entries(secrets).flatMap(([secret, value]) =>
    Object.entries(texts)
      .filter(([, text]) => text.includes(value))
      .map(([where]) => ({ secret, where })),
  );
}
