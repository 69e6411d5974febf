// gateway.db as earlier versions left it when they were killed: an older schema, with rows in every state it knew.
import { hash } from 'node:crypto';
import {
  copyFileSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { isoTime, systemClock } from '#shared/clock.ts';
import { openDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';
import { newId } from '#shared/ids.ts';

import { mintToken, tokenDigest } from '../../gateway/access/token.ts';
import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { projectDir } from './test-gateway.ts';

export type OldData = { token: string; runs: Record<'completed' | 'queued' | 'running', string> };

const applicationId = 0x47544853;
const uploadToken = `ff_${'a'.repeat(32)}`;

/** Makes the data directory as well. */
export function makeOldData(dataDir: string, schema: 1 | 2): OldData {
  using migrations = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const source = join(projectDir, 'gateway/database');
  const names = readdirSync(source).filter((name) => name.endsWith('.sql'));
  for (const name of names.toSorted().slice(0, schema)) {
    copyFileSync(join(source, name), join(migrations.path, name));
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, 'gateway.db');
  const db = openDatabase({ path, migrationsDir: migrations.path, applicationId });
  const data = fill(db);
  if (schema === 2) addUpload(db, dataDir);
  db.close();
  return data;
}

function fill(db: Database): OldData {
  const token = mintToken();
  const now = isoTime(Date.now());
  const audit = createAuditLog(db, systemClock);
  const insertApp = db.prepare(
    `insert into apps (name, ip_cidrs, models, max_concurrent, timeout_secs_max, token_lifetime_secs, created_at, revoked_at)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  insertApp.run('app', '["127.0.0.0/8"]', '["sonnet"]', 1, 60, 86_400, now, null);
  insertApp.run('revoked', '[]', null, null, null, null, now, now);
  const insertToken = db.prepare(
    'insert into app_tokens (digest, app_id, created_at, expires_at, last_used_at, last_used_ip) values (?, ?, ?, ?, ?, ?)',
  );
  const later = isoTime(Date.now() + 86_400_000);
  insertToken.run(tokenDigest(token), 1, now, later, now, '127.0.0.1');
  insertToken.run(tokenDigest(mintToken()), 2, now, null, null, null);
  audit.append({ action: 'token.created', app: 'app', address: '127.0.0.1', details: {} });

  const insertRun = db.prepare(
    `insert into runs (run_id, app_id, state, audit_draft, outcome, survivors, created_at, started_at, ended_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const endedAs = (outcome: string, startedAt: string | null): string => {
    const runId = newId('run');
    insertRun.run(runId, 1, 'ended', null, outcome, 0, now, startedAt, now);
    const details = { request_id: 'req_old', survivors: 0 };
    audit.append({ action: 'run', app: 'app', address: '127.0.0.1', outcome, runId, details });
    return runId;
  };
  const openAs = (state: 'queued' | 'running', prompt: string | null): string => {
    const runId = newId('run');
    const details = { request_id: 'req_old', model: 'sonnet', metadata: { ticket: '7' } };
    const draft = JSON.stringify({ app: 'app', address: '127.0.0.1', prompt, details });
    insertRun.run(runId, 1, state, draft, null, null, now, state === 'running' ? now : null, null);
    return runId;
  };
  endedAs('client_gone', null);
  return {
    token,
    runs: {
      completed: endedAs('completed', now),
      running: openAs('running', 'a prompt of the first version'),
      queued: openAs('queued', null),
    },
  };
}

function addUpload(db: Database, dataDir: string): void {
  const bytes = 'an upload of the second version';
  mkdirSync(join(dataDir, 'files'), { mode: 0o700 });
  writeFileSync(join(dataDir, 'files', uploadToken), bytes, { mode: 0o600 });
  const sha256 = hash('sha256', bytes);
  db.prepare(
    `insert into files (file_token, app_id, name, media_type, size, sha256, created_at, expires_at)
     values (?, 1, 'a.txt', 'text/plain', ?, ?, ?, ?)`,
  ).run(uploadToken, bytes.length, sha256, isoTime(Date.now()), isoTime(Date.now() + 86_400_000));
}
