// A database of an earlier version, opened by this one and killed at each step of its migration.
import { cpSync, mkdtempDisposableSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { readMigrations } from '#shared/database-migrations.ts';

import { makeBackup } from '../../cli/backup/backup-making.ts';
import { restoreBackup } from '../../cli/backup/restoring.ts';
import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import {
  openGatewayDatabase,
  openGatewayDatabaseReadOnly,
} from '../../gateway/database/gateway-database.ts';
import { startScript } from '../support/child-script.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import { makeOldData } from '../support/old-database.ts';
import type { OldData } from '../support/old-database.ts';
import { projectDir, startTestGateway } from '../support/test-gateway.ts';

const opener = `
  import { openGatewayDatabase } from './gateway/database/gateway-database.ts';
  let left = Number(process.env.STATEMENTS);
  openGatewayDatabase(process.env.DB, () => {
    left -= 1;
    if (left < 0) process.kill(process.pid, 'SIGKILL');
  });
`;

const newestSchema = readMigrations(join(projectDir, 'gateway/database')).length;
let directory: ReturnType<typeof mkdtempDisposableSync>;
beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
});
afterEach(() => directory.remove());

type Rows = Record<string, unknown[]>;
type Columns = Record<string, string[]>;

/** Of the tables and columns that a database has. */
function columnsOf(path: string): Columns {
  const db = new SqliteDatabase(path, { readonly: true });
  const tables = db
    .prepare<[], string>(
      "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'",
    )
    .pluck()
    .all();
  const columns = tables.map((table) => {
    const names = db.prepare<[string], string>('select name from pragma_table_info(?)').pluck();
    return [table, names.all(table)] as const;
  });
  db.close();
  return Object.fromEntries(columns);
}

function rowsOf(path: string, columns: Columns): Rows {
  const db = new SqliteDatabase(path, { readonly: true });
  const rows = Object.entries(columns).map(([table, names]) => [
    table,
    db.prepare(`select ${names.join(', ')} from ${table} order by 1`).all(),
  ]);
  db.close();
  return Object.fromEntries(rows);
}

const schemaOf = (path: string): unknown => {
  const db = openGatewayDatabase(path);
  const schema = db.prepare('select type, name, sql from sqlite_schema order by name').all();
  const state = [db.pragma('user_version'), db.pragma('integrity_check'), schema];
  db.close();
  return state;
};

const versionOf = (path: string): unknown => {
  const db = openGatewayDatabaseReadOnly(path);
  const version = db.pragma('user_version', { simple: true });
  db.close();
  return version;
};

/** What a gateway makes of it: the open runs are closed, everything else is as it was. */
async function expectToWork(dataDir: string, { token, runs }: OldData): Promise<void> {
  await using gateway = await startTestGateway({ dataDir, keep: true });
  const headers = { authorization: `Bearer ${token}` };
  const outcomeOf = async (runId: string): Promise<unknown> =>
    (await gateway.fetch(`/runs/${runId}`, { headers })).body.outcome;
  expect(await Promise.all(Object.values(runs).map(outcomeOf))).toEqual([
    ...['completed', 'interrupted', 'interrupted'],
  ]);
  const rows = await gateway.audit('?outcome=interrupted');
  const details = { request_id: 'req_old', metadata: { ticket: '7' }, survivors: 0 };
  expect(rows.toReversed()).toMatchObject([
    { run_id: runs.running, app: 'app', prompt: 'a prompt of the first version', details },
    { run_id: runs.queued, app: 'app', prompt: null, details },
  ]);
  expect((await gateway.run(token, { prompt: 'hello' })).body.result).toBe('hello');
  await expectNothingLeft(dataDir);
  expectWholeChain(dataDir);
}

function expectWholeChain(dataDir: string): void {
  const db = openGatewayDatabaseReadOnly(join(dataDir, 'gateway.db'));
  const verdict = createAuditLog(db, systemClock).verify();
  db.close();
  expect(verdict).toMatchObject({ ok: true });
}

describe.each([1, 2] as const)('a database of schema %i', (schema) => {
  test('that is killed at any step of its migration loses nothing, and a gateway works with it', async () => {
    const old = join(directory.path, 'old');
    const data = makeOldData(old, schema);
    const columns = columnsOf(join(old, 'gateway.db'));
    const rows = rowsOf(join(old, 'gateway.db'), columns);
    const whole = schemaOf(join(directory.path, 'new.db'));
    const tried = new Set<unknown>();
    let statements = 0;
    for (let signal: string | null = 'SIGKILL'; signal === 'SIGKILL'; statements += 1) {
      const dataDir = join(directory.path, 'data');
      const path = join(dataDir, 'gateway.db');
      cpSync(old, dataDir, { recursive: true });
      const env = { DB: path, STATEMENTS: String(statements) };
      await using script = startScript(opener, env);
      ({ signal } = await script.ended);
      const killedDir = join(directory.path, 'killed');
      cpSync(dataDir, killedDir, { recursive: true });
      const left = versionOf(path);
      expect(schemaOf(path)).toEqual(whole);
      expect(rowsOf(path, columns)).toEqual(rows);
      // Once for each state in which a kill leaves it.
      if (!tried.has(left)) await expectToWork(killedDir, data);
      tried.add(left);
      rmSync(dataDir, { recursive: true });
      rmSync(killedDir, { recursive: true });
    }
    expect(statements).toBeGreaterThan(25);
    expect(tried.size).toBe(newestSchema - schema + 1);
  }, 240_000);

  test('can be backed up as it is, and is brought up to date when it is restored', async () => {
    const old = join(directory.path, 'old');
    const { runs } = makeOldData(old, schema);
    const signal = new AbortController().signal;
    const parts = { diskReserveBytes: 0, signal, clock: systemClock };
    const backupDir = await makeBackup({
      ...{ ...parts, dataDir: old, targetDir: join(directory.path, 'backups') },
      ...{ gatehouseVersion: '0.0.0', say: () => {} },
    });
    expect(versionOf(join(backupDir, 'gateway.db'))).toBe(schema);
    const dataDir = join(directory.path, 'restored');
    const uid = process.getuid?.() ?? 0;
    const restored = await restoreBackup({ ...parts, backupDir, dataDir, uid });
    expect(restored).toMatchObject({ interruptedRuns: 2, manifest: { schema, runs: 4 } });
    expect(versionOf(join(dataDir, 'gateway.db'))).toBe(newestSchema);
    const audited = rowsOf(join(dataDir, 'gateway.db'), { audit_log: ['run_id', 'outcome'] });
    expect(audited['audit_log']).toEqual(
      expect.arrayContaining([
        { run_id: runs.running, outcome: 'interrupted' },
        { run_id: runs.queued, outcome: 'interrupted' },
      ]),
    );
    expectWholeChain(dataDir);
  });
});
