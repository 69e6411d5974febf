// What the vault does not start with: it says why, names what is wrong, and leaves it as it is.
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { openSqlite } from '../../vault/database/sqlite-database.ts';
import { startNode } from '../support/child-script.ts';
import type { ScriptEnd } from '../support/child-script.ts';
import { createPostgresDatabase, query } from '../support/vault-databases.ts';
import { vaultEnvironment } from '../support/vault-process.ts';

let directory: ReturnType<typeof mkdtempDisposableSync>;
let path: string;

beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  path = join(directory.path, 'vault.db');
});
afterEach(() => directory.remove());

async function startVault(url: string | null = null): Promise<ScriptEnd> {
  const database = { kind: 'sqlite', url, [Symbol.asyncDispose]: async () => {} } as const;
  await using script = startNode(['vault/main.ts'], vaultEnvironment(directory.path, database));
  return await script.ended;
}

async function makeVaultFile(): Promise<void> {
  await openSqlite(directory.path, systemClock).close();
}

const files: [string, string, () => void | Promise<void>][] = [
  ['an empty file', 'is empty', () => writeFileSync(path, '')],
  ['garbage', 'is not a database', () => writeFileSync(path, 'x'.repeat(8192))],
  [
    'the beginning of a database',
    'is not a database',
    () => writeFileSync(path, 'SQLite format 3\0'),
  ],
  [
    'the database of another application',
    'belongs to another application',
    () => {
      const other = new SqliteDatabase(path);
      other.exec(
        'pragma journal_mode = WAL; create table theirs (x); insert into theirs values (1)',
      );
      other.close();
    },
  ],
  [
    'a newer database',
    'has schema 99',
    async () => {
      await makeVaultFile();
      const newer = new SqliteDatabase(path);
      newer.pragma('user_version = 99');
      newer.close();
    },
  ],
  [
    'a damaged database',
    'is damaged',
    async () => {
      await makeVaultFile();
      const bytes = readFileSync(path);
      bytes.fill(0x5a, 3 * 4096, 8 * 4096);
      writeFileSync(path, bytes);
    },
  ],
];

test.for(files)('%s as its file', async ([, reason, make]) => {
  await make();
  const before = readFileSync(path);
  const { code, stdout, stderr } = await startVault();
  expect(code).toBe(1);
  expect(stderr).toContain(path);
  expect(stderr).toContain(reason);
  expect(stdout).toContain('start failed');
  expect(readFileSync(path).equals(before)).toBe(true);
});

test('a directory in the place of its file', async () => {
  mkdirSync(path);
  const { code, stderr } = await startVault();
  expect(code).toBe(1);
  expect(stderr).toContain(path);
});

describe('a PostgreSQL', () => {
  // oxlint-disable-next-line vitest/expect-expect -- in expectRefusal
  test('that nobody listens for, that knows neither the password nor the database', async () => {
    const serverUrl = inject('postgresUrl');
    const wrong = (parts: Partial<URL>): string => Object.assign(new URL(serverUrl), parts).href;
    await expectRefusal(wrong({ port: '1' }), /ECONNREFUSED/);
    await expectRefusal(wrong({ password: 'not-the-password' }), /password authentication failed/);
    await expectRefusal(wrong({ pathname: '/nowhere' }), /"nowhere" does not exist/);
  });

  test('with another encoding', async () => {
    const serverUrl = inject('postgresUrl');
    await query(
      serverUrl,
      "create database vault_latin template template0 encoding 'LATIN1' locale 'C' locale_provider libc",
    );
    try {
      const url = Object.assign(new URL(serverUrl), { pathname: '/vault_latin' }).href;
      await expectRefusal(url, /the encoding LATIN1: it must be UTF8/);
      const tables = await query(url, "select * from pg_tables where schemaname = 'public'");
      expect(tables).toEqual([]);
    } finally {
      await query(serverUrl, 'drop database vault_latin with (force)');
    }
  });

  test('with a newer schema, or one in which somebody else has tables of the same name', async () => {
    await using newer = await createPostgresDatabase(inject('postgresUrl'));
    const schema = 'create table gatehouse_vault_schema (version integer primary key)';
    await query(newer.url, `${schema}; insert into gatehouse_vault_schema values (99)`);
    await expectRefusal(newer.url, /has schema 99, this program knows \d+: it is too old/);
    await using theirs = await createPostgresDatabase(inject('postgresUrl'));
    await query(theirs.url, 'create table users (name text)');
    await expectRefusal(theirs.url, /relation "users" already exists/);
    const tables = "select tablename from pg_tables where schemaname = 'public'";
    expect(await query(theirs.url, tables)).toEqual([{ tablename: 'users' }]);
  });
});

async function expectRefusal(url: string, reason: RegExp): Promise<void> {
  const { code, stdout, stderr } = await startVault(url);
  expect(code).toBe(1);
  expect(stderr).toMatch(reason);
  expect(stderr).toContain('DATABASE_URL');
  expect(stdout + stderr).not.toContain(new URL(url).password);
}
