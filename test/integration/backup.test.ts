// npm run backup: what is in a backup, and when there is none.
import {
  cpSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { createDatabaseWriter } from '#shared/database-writer.ts';

import { makeBackup } from '../../cli/backup/backup-making.ts';
import type { BackupParts } from '../../cli/backup/backup-making.ts';
import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import {
  openGatewayDatabase,
  openGatewayDatabaseReadOnly,
} from '../../gateway/database/gateway-database.ts';
import { backUp } from '../support/backup-run.ts';
import { startScript } from '../support/child-script.ts';
import { makeKeptData, uploadedText } from '../support/kept-data.ts';
import type { KeptData } from '../support/kept-data.ts';

let kept: KeptData;
let directory: ReturnType<typeof mkdtempDisposableSync>;
let dataDir: string;
let targetDir: string;

beforeAll(async () => {
  kept = await makeKeptData();
});
afterAll(() => kept[Symbol.dispose]());
beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  dataDir = join(directory.path, 'data');
  targetDir = join(directory.path, 'backups');
  cpSync(kept.dataDir, dataDir, { recursive: true });
});
afterEach(() => directory.remove());

function make(said: string[] = [], parts: Partial<BackupParts> = {}): Promise<string> {
  return makeBackup({
    ...{ dataDir, targetDir, diskReserveBytes: 0, gatehouseVersion: '0.0.0' },
    signal: new AbortController().signal,
    say: (line) => void said.push(line),
    clock: systemClock,
    ...parts,
  });
}

const namesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted();
const modeOf = (path: string): number => statSync(path).mode & 0o777;
const headerOf = (path: string): unknown => {
  const db = new SqliteDatabase(path, { readonly: true });
  const sequences = db.prepare('select * from sqlite_sequence order by name').all();
  const header = [db.pragma('application_id'), db.pragma('user_version'), sequences];
  db.close();
  return header;
};
/** As an operator's mistake or a disk would do it. */
const damageDatabase = (sql: string): void => {
  const db = new SqliteDatabase(join(dataDir, 'gateway.db'));
  db.exec(sql);
  db.close();
};

describe('a backup', () => {
  test('is private, has everything but the login, and says what it is', async () => {
    const { code, path, text } = await backUp(dataDir);
    expect({ code, text }).toMatchObject({ code: 0 });
    expect(path.startsWith(`${dataDir}/backups/gatehouse-`)).toBe(true);
    const files = ['admin-token', `files/${kept.fileToken}`, 'gateway.db', 'manifest.json'];
    expect(namesIn(path)).toEqual(['admin-token', 'files', ...files.slice(1)].toSorted());
    expect([path, join(path, 'files')].map(modeOf)).toEqual([0o700, 0o700]);
    expect(files.map((name) => modeOf(join(path, name)))).toEqual([0o600, 0o600, 0o600, 0o600]);
    expect(readFileSync(join(path, 'files', kept.fileToken), 'utf8')).toBe(uploadedText);

    const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ format: 1, apps: 1, runs: 3, uploads_left_out: 0 });
    const db = openGatewayDatabaseReadOnly(join(path, 'gateway.db'));
    const verdict = createAuditLog(db, systemClock).verify();
    db.close();
    expect(verdict).toMatchObject({ ok: true, headHash: manifest.audit_head_hash });
    expect(verdict.rows).toBe(manifest.audit_rows);
  });

  test('is one file of the database, with its header and the numbers it has given', async () => {
    damageDatabase(
      "insert into apps (name, ip_cidrs, created_at) values ('x', '[]', ''); delete from apps where name = 'x'",
    );
    const path = join(await make(), 'gateway.db');
    expect(headerOf(path)).toEqual(headerOf(join(dataDir, 'gateway.db')));
    expect(namesIn(join(path, '..')).filter((name) => name.startsWith('gateway.db'))).toEqual([
      'gateway.db',
    ]);
  });

  test('is made where --to says', async () => {
    const { code, path } = await backUp(dataDir, '--to', targetDir);
    expect(code).toBe(0);
    expect(path.startsWith(`${targetDir}/gatehouse-`)).toBe(true);
  });

  test('counts an upload that has gone meanwhile, and one that is not as it was uploaded', async () => {
    const file = join(dataDir, 'files', kept.fileToken);
    writeFileSync(file, uploadedText.replace('a', 'b'));
    const said: string[] = [];
    expect(namesIn(join(await make(said), 'files'))).toEqual([]);
    rmSync(file);
    const path = await make(said);
    expect(namesIn(join(path, 'files'))).toEqual([]);
    expect(said.filter((line) => line.includes('1 left out'))).toHaveLength(2);
    const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
    expect(manifest).toMatchObject({ uploads_left_out: 1 });
  });

  test('without an admin token in a file says so', async () => {
    rmSync(join(dataDir, 'admin-token'));
    const said: string[] = [];
    expect(namesIn(await make(said))).not.toContain('admin-token');
    expect(said).toContain('admin token: not in a file, so not in the backup');
  });

  test('removes what a cut off one left a day ago, and nothing else', async () => {
    for (const name of ['gatehouse-old.partial', 'gatehouse-new.partial', 'gatehouse-whole']) {
      mkdirSync(join(targetDir, name), { recursive: true });
    }
    utimesSync(join(targetDir, 'gatehouse-old.partial'), 0, 0);
    utimesSync(join(targetDir, 'gatehouse-whole'), 0, 0);
    await make();
    const names = readdirSync(targetDir);
    expect(names).toHaveLength(3);
    expect(names).toEqual(expect.arrayContaining(['gatehouse-new.partial', 'gatehouse-whole']));
  });
});

describe('there is no backup', () => {
  const setSchema = 'pragma user_version = 99';
  const breakChain =
    "drop trigger audit_log_no_update; update audit_log set app = 'somebody' where seq = 1";
  test.each([
    ['a database of a newer program', setSchema, 'schema 99'],
    ['a broken audit log', breakChain, 'broken at row 1'],
  ])('of %s, and nothing is left of it', async (_of, sql, reason) => {
    damageDatabase(sql);
    await expect(make()).rejects.toThrow(reason);
    expect(readdirSync(targetDir)).toEqual([]);
  });

  test('of a damaged database, and nothing is left of it', async () => {
    const bytes = readFileSync(join(dataDir, 'gateway.db'));
    bytes.fill(0xaa, 4096 * 3, 4096 * 8);
    writeFileSync(join(dataDir, 'gateway.db'), bytes);
    await expect(make()).rejects.toThrow(/damaged|malformed/);
    expect(readdirSync(targetDir)).toEqual([]);
  });

  test('without room for it', async () => {
    const wish = make([], { diskReserveBytes: 2 ** 60 });
    await expect(wish).rejects.toThrow('there is no room in');
    expect(readdirSync(targetDir)).toEqual([]);
  });

  test('when it is stopped, and nothing is left of it', async () => {
    const stop = new AbortController();
    const say = (): void => stop.abort(new Error('stopped by a test'));
    await expect(make([], { say, signal: stop.signal })).rejects.toThrow('stopped by a test');
    expect(readdirSync(targetDir)).toEqual([]);
  });

  test.each([
    ['without a database', [], /^there is no backup: database .*gateway\.db does not exist\n$/],
    [
      'of an option that is none',
      ['--too', 'x'],
      /^there is no backup: Unknown option '--too'.*\n$/,
    ],
  ])('%s, said in one line', async (_case, args, line) => {
    const end = await backUp(join(directory.path, 'elsewhere'), ...args);
    expect(end).toMatchObject({ code: 1, text: expect.stringMatching(line) });
  });
});

const killedAtStep = `
  import { makeBackup } from './cli/backup/backup-making.ts';
  import { systemClock } from './shared/clock.ts';
  let left = Number(process.env.STEPS);
  const step = () => {
    left -= 1;
    if (left < 0) process.kill(process.pid, 'SIGKILL');
  };
  await makeBackup({
    dataDir: process.env.DATA,
    targetDir: process.env.TARGET,
    diskReserveBytes: 0,
    gatehouseVersion: '0.0.0',
    signal: Object.assign(new AbortController().signal, { throwIfAborted: step }),
    say: step,
    clock: systemClock,
  });
`;

test('a backup that is killed at any step does not look like one', async () => {
  let steps = 0;
  for (let signal: string | null = 'SIGKILL'; signal === 'SIGKILL'; steps += 1) {
    rmSync(targetDir, { recursive: true, force: true });
    const env = { DATA: dataDir, TARGET: targetDir, STEPS: String(steps) };
    await using script = startScript(killedAtStep, env);
    ({ signal } = await script.ended);
    const [name = '', ...others] = readdirSync(targetDir);
    expect(others).toEqual([]);
    expect(name.endsWith('.partial')).toBe(signal === 'SIGKILL');
  }
  // Pieces of the database, of the upload and of the token, and four lines.
  expect(steps).toBeGreaterThanOrEqual(7);
}, 120_000);

test('during 100 writes a second it is whole and has every row that was stored before it began', async () => {
  const database = join(dataDir, 'gateway.db');
  const db = openGatewayDatabase(database);
  db.pragma('wal_autocheckpoint = 0');
  const log = createAuditLog(db, systemClock);
  const writer = createDatabaseWriter(db, systemClock);
  let stored = 0;
  const write = async (bytes: number): Promise<void> => {
    const run = { app: 'app', address: null, runId: `run_${stored}`, prompt: 'x'.repeat(bytes) };
    await writer.write(() => log.append({ action: 'run', ...run, details: {} }));
    stored += 1;
  };
  // Enough for several pieces.
  for (let each = 0; each < 20; each += 1) await write(2 ** 20);
  const stop = new AbortController();
  const writing = (async () => {
    while (!stop.signal.aborted) {
      await write(5000);
      await systemClock.sleep(10);
    }
  })();
  await expect.poll(() => stored).toBeGreaterThan(30);
  const storedBefore = stored;
  const { code, path, text } = await backUp(dataDir);
  const storedAfter = stored;
  const carriedOver = statSync(database).size;
  stop.abort();
  await writing;
  db.close();

  expect({ code, text }).toMatchObject({ code: 0 });
  expect(storedAfter).toBeGreaterThan(storedBefore);
  // Not by the one who writes: it would be kept from everything else meanwhile.
  expect(carriedOver).toBeGreaterThan(20 * 2 ** 20);
  const copy = openGatewayDatabaseReadOnly(join(path, 'gateway.db'));
  const check = copy.pragma('integrity_check', { simple: true });
  const runIds = copy.prepare('select run_id from audit_log').pluck().all();
  copy.close();
  expect(check).toBe('ok');
  const before = Array.from({ length: storedBefore }, (_, index) => `run_${index}`);
  expect(runIds).toEqual(expect.arrayContaining(before));
}, 60_000);
