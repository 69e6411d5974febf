// kill -9 before each statement that opening the vault's file runs, until one opening is not killed.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { expect, test } from 'vitest';

import { openVaultFile } from '../../vault/database/sqlite-database.ts';
import { startScript } from '../support/child-script.ts';

const testTimeoutMs = 120_000;

const opener = `
  import { openVaultFile } from './vault/database/sqlite-database.ts';
  let left = Number(process.env.STATEMENTS);
  openVaultFile(process.env.DB, () => {
    left -= 1;
    if (left < 0) process.kill(process.pid, 'SIGKILL');
  });
`;

const schemaOf = (path: string): unknown => {
  openVaultFile(path).close();
  const db = new SqliteDatabase(path);
  const schema = db.prepare('select type, name, sql from sqlite_schema order by name').all();
  const state = [
    ...[db.pragma('user_version'), db.pragma('application_id')],
    ...[db.pragma('integrity_check'), schema],
  ];
  db.close();
  return state;
};

test(
  'after kill -9 at any step of the first opening, the next one completes',
  async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
    const whole = schemaOf(join(directory.path, 'whole.db'));
    let statements = 0;
    for (let signal: string | null = 'SIGKILL'; signal === 'SIGKILL'; statements += 1) {
      const path = join(directory.path, `${statements}.db`);
      await using script = startScript(opener, { DB: path, STATEMENTS: String(statements) });
      ({ signal } = await script.ended);
      expect(schemaOf(path)).toEqual(whole);
    }
    expect(statements).toBeGreaterThan(10);
  },
  testTimeoutMs,
);
