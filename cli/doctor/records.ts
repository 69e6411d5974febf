// What the database says, read only, as far as there is one that can be read.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';

import { createAppStore } from '../../gateway/access/app-store.ts';
import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import type { AuditLog } from '../../gateway/audit/audit-log.ts';
import { inspectGatewayDatabase } from '../../gateway/database/database-inspection.ts';
import { openGatewayDatabaseReadOnly } from '../../gateway/database/gateway-database.ts';
import type { RunState } from '../../gateway/runs/run-state.ts';
import { createRunStore } from '../../gateway/runs/run-store.ts';
import type { SignInHistory } from './credential-check.ts';
import { judgeAuditLog, judgeDatabase, judgeUnreadableDatabase } from './database-check.ts';
import { messageOf, pass } from './finding.ts';
import type { Finding } from './finding.ts';

export type Records = {
  /** About the database itself and the audit log in it. */
  findings: Finding[];
  lastAuditAt: () => string | null;
  signInHistory: () => SignInHistory;
  appCount: () => number;
  stateOf: (runId: string) => RunState | null;
  openCount: () => number;
  close: () => void;
};

/** More would take longer than an operator waits. */
const auditRowsMax = 100_000;

export function openRecords(dataDir: string): Records {
  const path = join(dataDir, 'gateway.db');
  if (!existsSync(path)) {
    return noRecords(pass('database', `${path} is not there yet: the first start makes it`));
  }
  let db: Database | null = null;
  try {
    const inspection = inspectGatewayDatabase(path);
    const finding = judgeDatabase(path, inspection);
    if (finding.status !== 'pass') return noRecords(finding);
    db = openGatewayDatabaseReadOnly(path);
    return recordsOf(db, finding);
  } catch (err) {
    db?.close();
    return noRecords(judgeUnreadableDatabase(messageOf(err)));
  }
}

function recordsOf(db: Database, finding: Finding): Records {
  const audit = createAuditLog(db, systemClock);
  const apps = createAppStore(db);
  const runs = createRunStore(db);
  const { verdict, isPartial } = audit.verifyNewest(auditRowsMax);
  return {
    findings: [finding, judgeAuditLog(verdict, isPartial)],
    lastAuditAt: () => audit.list({ limit: 1 }).items[0]?.at ?? null,
    signInHistory: () => ({
      completedAt: newestRun(audit, 'completed'),
      authFailedAt: newestRun(audit, 'auth'),
    }),
    appCount: () => apps.countApps(),
    stateOf: (runId) => runs.stateOf(runId),
    openCount: () => runs.open().length,
    close: () => void db.close(),
  };
}

function newestRun(audit: AuditLog, outcome: string): string | null {
  return audit.list({ action: 'run', outcome, limit: 1 }).items[0]?.at ?? null;
}

function noRecords(finding: Finding): Records {
  return {
    findings: [finding],
    lastAuditAt: () => null,
    signInHistory: () => ({ completedAt: null, authFailedAt: null }),
    appCount: () => 0,
    stateOf: () => null,
    openCount: () => 0,
    close: () => {},
  };
}
