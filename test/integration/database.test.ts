import { mkdtempDisposableSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';

import { DatabaseRefusedError, openDatabase, openReadOnlyDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';

const applicationId = 0x54455354;

let directory: ReturnType<typeof mkdtempDisposableSync>;
let path: string;
let migrationsDir: string;

beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  path = join(directory.path, 'test.db');
  migrationsDir = directory.path;
  addMigration('0001-notes.sql', 'create table notes (text text not null) strict;');
});

afterEach(() => {
  directory.remove();
});

function addMigration(name: string, sql: string): void {
  writeFileSync(join(migrationsDir, name), sql);
}

const open = (): Database => openDatabase({ path, migrationsDir, applicationId });

/** Why the file is refused, its path as FILE; it must be as it was afterwards. */
function refusal(): string {
  const before = readFileSync(path);
  try {
    open().close();
    return 'opened';
  } catch (err) {
    if (!(err instanceof DatabaseRefusedError)) {
      throw err;
    }
    const untouched = readFileSync(path).equals(before);
    return untouched ? err.message.replace(path, 'FILE') : 'changed';
  }
}

test('a new database is private, durable and at the newest schema', () => {
  using db = disposable(open());
  const pragma = (name: string): unknown => db.pragma(name, { simple: true });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(pragma('journal_mode')).toBe('wal');
  expect(pragma('synchronous')).toBe(2);
  expect(pragma('foreign_keys')).toBe(1);
  expect(pragma('busy_timeout')).toBe(0);
  expect(pragma('user_version')).toBe(1);
  expect(pragma('application_id')).toBe(applicationId);
});

test('what was stored is there after opening again, and new migrations are applied', () => {
  const first = open();
  first.exec("insert into notes values ('kept')");
  first.close();
  addMigration('0002-tags.sql', "alter table notes add column tag text default 'none';");
  using db = disposable(open());
  expect(db.prepare('select * from notes').all()).toEqual([{ text: 'kept', tag: 'none' }]);
});

test('a migration that fails leaves nothing of itself', () => {
  open().close();
  addMigration('0002-bad.sql', 'create table half (x text) strict; create table notes (x text);');
  expect(open).toThrow(/notes already exists/);
  using db = disposable(openReadOnlyDatabase(path, applicationId));
  expect(db.prepare("select name from sqlite_schema where name = 'half'").all()).toEqual([]);
  expect(db.pragma('user_version', { simple: true })).toBe(1);
});

test('a migration that leaves orphans is refused', () => {
  addMigration(
    '0002-orphan.sql',
    `create table a (id integer primary key) strict;
     create table b (a integer references a (id) deferrable initially deferred) strict;
     insert into b values (7);`,
  );
  expect(open).toThrow(/0002-orphan.sql leaves 1 rows/);
});

test('a gap in the numbers of the migrations is an error', () => {
  addMigration('0003-later.sql', 'select 1;');
  expect(open).toThrow(/0003-later.sql: expected a name starting with 2/);
});

test('a file of 0 bytes is refused and left alone', () => {
  writeFileSync(path, '');
  expect(refusal()).toMatch(/FILE is empty/);
});

test('garbage is refused and left alone', () => {
  writeFileSync(path, 'x'.repeat(8192));
  expect(refusal()).toMatch(/FILE (is not a database)/);
  writeFileSync(path, 'SQLite format 3\0');
  expect(refusal()).toMatch(/FILE (is not a database)/);
});

test('the database of another application is refused and left alone', () => {
  const other = new SqliteDatabase(path);
  other.exec('create table theirs (x); insert into theirs values (1)');
  other.close();
  expect(refusal()).toMatch(/FILE (belongs to another application)/);
  expect(() => openReadOnlyDatabase(path, applicationId)).toThrow(/another application/);
});

test('a newer database is refused and left alone', () => {
  const newer = open();
  newer.pragma('user_version = 2');
  newer.close();
  expect(refusal()).toMatch(/FILE (has schema 2, this program knows 1)/);
});

test('a damaged database is refused and left alone', () => {
  const db = open();
  const insert = db.prepare('insert into notes values (?)');
  for (let i = 0; i < 500; i += 1) {
    insert.run(`${i}`.repeat(50));
  }
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0x5a, 3 * 4096, 5 * 4096);
  writeFileSync(path, bytes);
  expect(refusal()).toMatch(/FILE (is damaged|cannot be read)/);
});

test('a journal without its database is refused', () => {
  writeFileSync(`${path}-wal`, 'what is left');
  expect(open).toThrow(/is missing, but .*-wal is there/);
});

test('a read-only connection sees what is written meanwhile and writes nothing', () => {
  using db = disposable(open());
  using reader = disposable(openReadOnlyDatabase(path, applicationId));
  db.exec("insert into notes values ('new')");
  expect(reader.prepare('select text from notes').all()).toEqual([{ text: 'new' }]);
  expect(() => reader.exec("insert into notes values ('no')")).toThrow(/readonly/);
});

test('a database that is not there cannot be read', () => {
  expect(() => openReadOnlyDatabase(path, applicationId)).toThrow(`${path} does not exist`);
});

function disposable(db: Database): Database & Disposable {
  return Object.assign(db, {
    [Symbol.dispose]: () => {
      db.close();
    },
  });
}
