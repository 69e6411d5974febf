// npm run vault:backup, vault:restore and vault:audit:verify: beside a vault at work, and what is found when it is put back.
import {
  cpSync,
  existsSync,
  mkdtempDisposableSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { runTool } from '../support/backup-run.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import { backUpVault, restoreVault, verifyVaultAudit } from '../support/vault-tools.ts';
import { attachTo, fetchAttachment } from '../support/vault-uploads.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { SignedIn, TestVault } from '../support/vault-world.ts';

const namesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, encoding: 'utf8' }).toSorted();
const modeOf = (path: string): number => statSync(path).mode & 0o777;

type Filled = { ada: SignedIn; agentId: string; used: string; free: string };

async function fill(world: TestVault): Promise<Filled> {
  const ada = await world.person('admin', 'ada');
  const agentId = await world.agent(ada.token);
  const used = await attachTo(world, ada.token, agentId, 'a file of an event');
  const free = await attachTo(world, ada.token, agentId, 'a file of none yet');
  await world.post(ada.token, agentId, { event_type: 'user_message', attachments: [used] });
  return { ada, agentId, used, free };
}

/** About a hundred events a second, each noted once it is acknowledged. */
function keepPosting(world: TestVault, { ada, agentId }: Filled) {
  const acknowledged: string[] = [];
  const stop = new AbortController();
  const posting = (async () => {
    while (!stop.signal.aborted) {
      const content = `message ${acknowledged.length} ${'x'.repeat(2000)}`;
      const event = await world.post(ada.token, agentId, { event_type: 'user_message', content });
      acknowledged.push(event.event_id);
      await systemClock.sleep(7);
    }
  })();
  return {
    acknowledged,
    async end() {
      stop.abort();
      await posting;
    },
  };
}

const textOf = async (world: TestVault, token: string, id: string): Promise<string> =>
  (await fetchAttachment(world, token, id)).text();

test('on SQLite a backup beside 100 writes a second is whole, has all that was acknowledged, and is served when it is restored', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-vault-'));
  const restored = { dataDir: join(directory.path, 'restored'), database: { url: null } };
  await using world = await startTestVault('sqlite');
  const filled = await fill(world);
  const { ada, agentId, used, free } = filled;
  const posts = keepPosting(world, filled);
  await expect.poll(() => posts.acknowledged.length).toBeGreaterThan(100);
  const before = [...posts.acknowledged];
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const { code, text, path } = await backUpVault(world);
  delay.disable();
  const during = posts.acknowledged.length - before.length;
  await posts.end();
  expect({ code, text }).toMatchObject({ code: 0 });
  expect(during).toBeGreaterThan(10);
  expect(delay.percentile(99) / 1e6).toBeLessThan(50);

  expect(path.startsWith(`${world.dataDir}/backups/vault-`)).toBe(true);
  const files = ['attachments', `attachments/${used}`, `attachments/${free}`, 'manifest.json'];
  const all = [...files, 'vault-keys', 'vault-keys/signing-key.pem', 'vault.db'].toSorted();
  expect(namesIn(path)).toEqual(all);
  expect(all.map((name) => modeOf(join(path, name)).toString(8))).toEqual(
    all.map((name) => (['attachments', 'vault-keys'].includes(name) ? '700' : '600')),
  );
  const manifest = JSON.parse(readFileSync(join(path, 'manifest.json'), 'utf8'));
  expect(manifest).toMatchObject({
    format: 1,
    service: 'the vault',
    attachments_left_out: 0,
    contents: { users: 1, agents: 1 },
  });
  const copy = new SqliteDatabase(join(path, 'vault.db'), { readonly: true });
  expect(copy.pragma('integrity_check', { simple: true })).toBe('ok');
  const ids = new Set(copy.prepare('select event_id from events').pluck().all());
  copy.close();
  expect(before.filter((id) => !ids.has(id))).toEqual([]);
  expect(manifest.contents.events).toBe(ids.size);

  const refused = await restoreVault(world, path);
  expect(refused).toMatchObject({ code: 1, text: expect.stringContaining('stop the vault first') });
  const end = await restoreVault(restored, path);
  expect(end.text).toContain(`events: ${ids.size}`);
  expect(end).toMatchObject({ code: 0, text: expect.stringContaining('next: npm run vault') });
  expect(namesIn(restored.dataDir).filter((name) => !name.startsWith('vault.lock'))).toEqual(
    all.filter((name) => name !== 'manifest.json'),
  );
  const twice = await restoreVault(restored, path);
  expect(twice).toMatchObject({ code: 1, text: expect.stringContaining('nothing is overwritten') });

  await using second = await startTestVault('sqlite', { dataDir: restored.dataDir });
  // The key that signs is that of the backup: who was signed in still is.
  const { headers, body } = await second.call(ada.token, `/agents/${agentId}/events?limit=1`);
  expect(headers.get('x-ratelimit-limit')).not.toBeNull();
  expect(body.data[0].seq).toBe(manifest.contents.event_head);
  for (const id of [before[0], before.at(-1)]) {
    expect(await second.call(ada.token, `/events/${id}`)).toMatchObject({ status: 200 });
  }
  expect(await textOf(second, ada.token, used)).toBe('a file of an event');
  expect(await textOf(second, ada.token, free)).toBe('a file of none yet');
  const next = await second.post(ada.token, agentId, { event_type: 'user_message', content: 'on' });
  expect(next.seq).toBe(manifest.contents.event_head + 1);
  const expected = ['--expect', manifest.contents.audit_head_hash];
  expect(await verifyVaultAudit(restored, ...expected)).toMatchObject({ code: 0 });
});

test('on PostgreSQL a backup has the files, and says that the database is not in it', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-vault-'));
  const dataDir = join(directory.path, 'restored');
  await using database = await createTestDatabase('postgres');
  await using world = await startTestVault('postgres', { database });
  const { ada, used, free } = await fill(world);
  const { code, text, path } = await backUpVault(world, '--to', join(directory.path, 'backups'));
  expect({ code, text }).toMatchObject({ code: 0 });
  expect(text).toContain('NOT in this backup. Save it with pg_dump');
  expect(text).not.toContain(database.url);
  const files = ['attachments', `attachments/${used}`, `attachments/${free}`, 'manifest.json'];
  expect(namesIn(path)).toEqual([...files, 'vault-keys', 'vault-keys/signing-key.pem'].toSorted());
  const onSqlite = await restoreVault({ dataDir, database: { url: null } }, path);
  expect(onSqlite).toMatchObject({ code: 1, text: expect.stringContaining('set DATABASE_URL') });
  expect(existsSync(dataDir)).toBe(false);
  const end = await restoreVault({ dataDir, database }, path);
  expect(end).toMatchObject({ code: 0, text: expect.stringContaining('pg_restore') });
  await world.close();

  // A vault that starts before the database is restored must not cost the files.
  await using empty = await createTestDatabase('postgres');
  const early = await startTestVault('postgres', { database: empty, dataDir, keep: true });
  await early.close();
  await using second = await startTestVault('postgres', { database, dataDir });
  expect(await textOf(second, ada.token, used)).toBe('a file of an event');
  expect(await textOf(second, ada.token, free)).toBe('a file of none yet');
});

test('what is no whole backup of a vault is not made and not restored', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-vault-'));
  const world = await startTestVault('sqlite', {
    dataDir: join(directory.path, 'data'),
    keep: true,
  });
  const { used } = await fill(world);
  await world.close();
  const place = { dataDir: world.dataDir, database: { url: null } };
  const backup = await backUpVault(place, '--to', join(directory.path, 'backups'));
  expect(backup).toMatchObject({ code: 0 });
  const target = join(directory.path, 'target');
  const copied = join(directory.path, 'copied');
  const change = (name: string): void => {
    const bytes = readFileSync(join(copied, name));
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    writeFileSync(join(copied, name), bytes);
  };
  const changeManifest = (change_: (manifest: Record<string, unknown>) => unknown): void => {
    const path = join(copied, 'manifest.json');
    writeFileSync(path, JSON.stringify(change_(JSON.parse(readFileSync(path, 'utf8')))));
  };
  const cases: [() => void, RegExp][] = [
    [() => change('vault.db'), /vault\.db is not what it was/],
    [() => change(`attachments/${used}`), /is not what it was/],
    [() => change('vault-keys/signing-key.pem'), /is not what it was/],
    [() => rmSync(join(copied, 'attachments', used)), /is missing/],
    [() => rmSync(join(copied, 'manifest.json')), /is not a backup/],
    [
      () => changeManifest((manifest) => ({ ...manifest, contents: null })),
      /there is no database in it/,
    ],
    [
      () =>
        changeManifest((manifest) => ({
          ...manifest,
          files: [{ path: 'vault-keys/../../x', size: 0, sha256: '0'.repeat(64) }],
        })),
      /manifest\.json is damaged/,
    ],
    [
      () =>
        changeManifest(({ contents, ...manifest }) => ({
          ...manifest,
          contents: { ...(contents as object), events: 1 },
        })),
      /does not fit the database: events 1/,
    ],
  ];
  for (const [spoil, reason] of cases) {
    cpSync(backup.path, copied, { recursive: true });
    spoil();
    const end = await restoreVault({ dataDir: target, database: { url: null } }, copied);
    expect(end).toMatchObject({ code: 1, text: expect.stringMatching(reason) });
    const left = existsSync(target) ? readdirSync(target) : [];
    expect(left.filter((name) => !name.startsWith('vault.lock'))).toEqual([]);
    rmSync(copied, { recursive: true });
  }
  const elsewhere = { dataDir: target, database: { url: 'postgres://nobody@127.0.0.1:1/x' } };
  expect(await restoreVault(elsewhere, backup.path)).toMatchObject({
    code: 1,
    text: expect.stringContaining('unset it first'),
  });
  const ofGateway = await runTool('cli/restore.ts', { GATEWAY_DATA_DIR: target }, backup.path);
  expect(ofGateway).toMatchObject({
    code: 1,
    text: expect.stringContaining('a backup of the vault, not of the gateway'),
  });

  // What a disk or somebody with a tool has done.
  const targetDir = join(directory.path, 'none');
  const none = async (reason: RegExp): Promise<void> => {
    const end = await backUpVault(place, '--to', targetDir);
    expect(end).toMatchObject({ code: 1, text: expect.stringMatching(reason) });
    expect(existsSync(targetDir) ? readdirSync(targetDir) : []).toEqual([]);
  };
  const db = new SqliteDatabase(join(world.dataDir, 'vault.db'));
  db.exec("update audit_log set actor_name = 'somebody' where seq = 2");
  await none(/there is no backup: the audit log in the database is broken at row 2/);
  db.exec("update audit_log set actor_name = 'ada' where seq = 2");
  db.pragma('user_version = 99');
  await none(/schema 99/);
  db.close();
  rmSync(join(world.dataDir, 'vault.db'));
  await none(/vault\.db does not exist/);
});

describe.each(vaultDatabases)('on %s', (kind) => {
  test('the audit log is verified while the vault writes, and a changed row is found', async () => {
    await using world = await startTestVault(kind);
    const posts = keepPosting(world, await fill(world));
    await expect.poll(() => posts.acknowledged.length).toBeGreaterThan(20);
    for (let round = 0; round < 3; round += 1) {
      const { code, text } = await verifyVaultAudit(world);
      expect({ code, text }).toMatchObject({
        code: 0,
        text: expect.stringContaining('rows, whole'),
      });
      expect(text).not.toContain('password');
    }
    await posts.end();
    const { text } = await verifyVaultAudit(world);
    const [, head = ''] = /head: row \d+, (\w+)/.exec(text) ?? [];
    expect(await verifyVaultAudit(world, '--expect', head)).toMatchObject({ code: 0 });
    expect(await verifyVaultAudit(world, '--expect', '0'.repeat(64))).toMatchObject({ code: 1 });
    await world.vault.database.write(({ db }) =>
      sql`update audit_log set address = '10.0.0.1' where seq = 7`.execute(db),
    );
    expect(await verifyVaultAudit(world)).toMatchObject({
      code: 1,
      text: expect.stringContaining('broken at row 7'),
    });
    const nowhere = {
      dataDir: join(world.dataDir, 'nothing'),
      database: { url: kind === 'sqlite' ? null : 'postgres://u:secret@127.0.0.1:1/x' },
    };
    const unread = await verifyVaultAudit(nowhere);
    expect(unread.code).toBe(2);
    expect(unread.text).toMatch(/does not exist|cannot be used: .*ECONNREFUSED/);
    expect(unread.text).not.toContain('secret');
  });
});
