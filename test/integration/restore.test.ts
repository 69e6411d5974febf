// npm run restore: what it refuses, and that a refusal leaves everything as it was.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { makeBackup } from '../../cli/backup/backup-making.ts';
import { readFacts } from '../../cli/backup/copied-file.ts';
import { restoreBackup } from '../../cli/backup/restoring.ts';
import type { Restored, RestoreParts } from '../../cli/backup/restoring.ts';
import { runTool } from '../support/backup-run.ts';
import { startScript } from '../support/child-script.ts';
import { makeKeptData, uploadedText } from '../support/kept-data.ts';
import type { KeptData } from '../support/kept-data.ts';

let kept: KeptData;
let wholeBackup: string;
let directory: ReturnType<typeof mkdtempDisposableSync>;
let backupDir: string;
let target: string;

beforeAll(async () => {
  kept = await makeKeptData();
  wholeBackup = await makeBackup({
    ...{ dataDir: kept.dataDir, targetDir: join(kept.dataDir, 'backups'), diskReserveBytes: 0 },
    ...{ gatehouseVersion: '0.0.0', signal: new AbortController().signal },
    say: () => {},
    clock: systemClock,
  });
});
afterAll(() => kept[Symbol.dispose]());
beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  backupDir = join(directory.path, 'backup');
  target = join(directory.path, 'data');
  cpSync(wholeBackup, backupDir, { recursive: true });
});
afterEach(() => directory.remove());

function restoreIt(parts: Partial<RestoreParts> = {}): Promise<Restored> {
  return restoreBackup({
    ...{ backupDir, dataDir: target, diskReserveBytes: 0, uid: process.getuid?.() ?? 0 },
    ...{ signal: new AbortController().signal, clock: systemClock },
    ...parts,
  });
}

/** What is in the data directory, besides the lock. */
function left(): string[] {
  if (!existsSync(target)) return [];
  return readdirSync(target).filter((name) => !name.startsWith('gateway.lock'));
}

function changeByte(name: string): void {
  const path = join(backupDir, name);
  const bytes = readFileSync(path);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

async function changeManifest(changes: Record<string, unknown>): Promise<void> {
  const path = join(backupDir, 'manifest.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...manifest, ...changes }));
}

/** The manifest then says of the database what it has become. */
async function changeDatabase(sql: string, changes: Record<string, unknown> = {}): Promise<void> {
  const path = join(backupDir, 'gateway.db');
  const db = new SqliteDatabase(path);
  db.exec(sql);
  db.close();
  const { files } = JSON.parse(readFileSync(join(backupDir, 'manifest.json'), 'utf8'));
  const others = files.filter((file: { path: string }) => file.path !== 'gateway.db');
  const database = { path: 'gateway.db', ...(await readFacts(path)) };
  await changeManifest({ files: [database, ...others], ...changes });
}

test('a whole backup is restored, private and in one piece', async () => {
  expect(await restoreIt()).toMatchObject({ manifest: { runs: 3 } });
  expect(left().toSorted()).toEqual(['admin-token', 'files', 'gateway.db']);
  const modes = ['.', 'files', 'gateway.db', 'admin-token', `files/${kept.fileToken}`].map(
    (name) => statSync(join(target, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o700, 0o600, 0o600, 0o600]);
  expect(readFileSync(join(target, 'files', kept.fileToken), 'utf8')).toBe(uploadedText);
});

describe('is refused, and nothing is restored:', () => {
  const breakChain =
    "drop trigger audit_log_no_update; update audit_log set app = 'somebody' where seq = 1";
  const removeTail = `drop trigger audit_log_no_delete; delete from audit_log where seq > 1;
    update sqlite_sequence set seq = 1 where name = 'audit_log'`;
  test.each<[string, () => unknown, RegExp]>([
    ['one byte of the database is another', () => changeByte('gateway.db'), /is not what it was/],
    ['one byte of the token is another', () => changeByte('admin-token'), /is not what it was/],
    [
      'one byte of an upload is another',
      () => changeByte(`files/${kept.fileToken}`),
      /is not what it was/,
    ],
    ['an upload is missing', () => rmSync(join(backupDir, 'files', kept.fileToken)), /is missing/],
    [
      'a file was cut off',
      () => writeFileSync(join(backupDir, 'admin-token'), 'x'),
      /has 1 bytes, and had \d+/,
    ],
    [
      'the manifest cannot be read',
      () => {
        rmSync(join(backupDir, 'manifest.json'));
        mkdirSync(join(backupDir, 'manifest.json'));
      },
      /cannot be read/,
    ],
    ['there is no manifest', () => rmSync(join(backupDir, 'manifest.json')), /is not a backup/],
    [
      'the manifest is damaged',
      () => writeFileSync(join(backupDir, 'manifest.json'), '{"format":1'),
      /manifest\.json is damaged/,
    ],
    ['it is of a newer format', () => changeManifest({ format: 2 }), /newer Gatehouse/],
    [
      'the manifest names a file that lies elsewhere',
      () => changeManifest({ files: [{ path: '../x', size: 1, sha256: '0'.repeat(64) }] }),
      /manifest\.json is damaged/,
    ],
    ['the manifest names no database', () => changeManifest({ files: [] }), /no database/],
    ['its schema is newer', () => changeDatabase('pragma user_version = 99'), /schema 99/],
    ['its audit log is broken', () => changeDatabase(breakChain), /broken at row 1/],
    [
      'its audit log ends earlier than the manifest says',
      () => changeDatabase(removeTail),
      /audit rows \d+ in one, 1 in the other/,
    ],
    [
      'its audit log is another one of the same length',
      () => changeManifest({ audit_head_hash: '0'.repeat(64) }),
      /audit head/,
    ],
    [
      'it was cut off while it was made',
      () => {
        rmSync(join(backupDir, 'manifest.json'));
        renameSync(backupDir, `${backupDir}.partial`);
        backupDir += '.partial';
      },
      /was cut off while it was made/,
    ],
  ])('%s', async (_name, alter, reason) => {
    await alter();
    await expect(restoreIt()).rejects.toThrow(reason);
    expect(left()).toEqual([]);
  });

  test('the database is damaged, whatever the manifest says', async () => {
    const path = join(backupDir, 'gateway.db');
    const bytes = readFileSync(path);
    bytes.fill(0xaa, 4096 * 3, 4096 * 8);
    writeFileSync(path, bytes);
    await changeDatabase('');
    await expect(restoreIt()).rejects.toThrow(/damaged|malformed/);
    expect(left()).toEqual([]);
  });

  test('there is no room', async () => {
    await expect(restoreIt({ diskReserveBytes: 2 ** 60 })).rejects.toThrow('there is no room');
    expect(left()).toEqual([]);
  });

  test('the data directory belongs to another user', async () => {
    const uid = (process.getuid?.() ?? 0) + 1;
    await expect(restoreIt({ uid })).rejects.toThrow(/belongs to uid \d+/);
    expect(left()).toEqual([]);
  });

  test('it is stopped in the middle', async () => {
    const stop = new AbortController();
    const clock = {
      ...systemClock,
      now: () => {
        stop.abort(new Error('stopped by a test'));
        return systemClock.now();
      },
    };
    await expect(restoreIt({ signal: stop.signal, clock })).rejects.toThrow('stopped by a test');
    expect(left()).toEqual([]);
  });

  test.each(['gateway.db', 'gateway.db-wal', 'admin-token', 'files'])(
    '%s is there already; what the message says moves it away',
    async (name) => {
      mkdirSync(target);
      writeFileSync(join(target, name), 'precious');
      const refused = await restoreIt().then(
        () => 'restored',
        (err: unknown) => String(err),
      );
      expect(left()).toEqual([name]);
      const [, command = ''] = refused.split('\n');
      execFileSync('sh', ['-c', command]);
      await restoreIt();
      expect(readFileSync(join(target, 'before-restore', name), 'utf8')).toBe('precious');
    },
  );
});

test('a restore that is killed leaves no database behind, and the next one does it all', async () => {
  await using script = startScript(
    `
    import { restoreBackup } from './cli/backup/restoring.ts';
    import { systemClock } from './shared/clock.ts';
    await restoreBackup({
      backupDir: process.env.BACKUP,
      dataDir: process.env.TARGET,
      diskReserveBytes: 0,
      uid: process.getuid(),
      signal: new AbortController().signal,
      // Asked for when everything has been copied and the open runs are closed.
      clock: { ...systemClock, now: () => process.kill(process.pid, 'SIGKILL') },
    });
  `,
    { BACKUP: backupDir, TARGET: target },
  );
  expect(await script.ended).toMatchObject({ signal: 'SIGKILL' });
  expect(left()).toEqual(['restore.partial']);
  await restoreIt();
  expect(left().toSorted()).toEqual(['admin-token', 'files', 'gateway.db']);
});

test.each([
  [[], /^nothing is restored: name one backup: npm run restore -- <directory of the backup>\n$/],
  [['/nowhere'], /^nothing is restored: \/nowhere is not a backup: .*\n$/],
])('with the arguments %j it says in one line what is wrong', async (args, line) => {
  const end = await runTool('cli/restore.ts', { GATEWAY_DATA_DIR: target }, ...args);
  expect(end).toMatchObject({ code: 1, text: expect.stringMatching(line) });
  expect(existsSync(target)).toBe(false);
});
