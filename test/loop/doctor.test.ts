// npm run doctor on what vault and watcher leave, on the links between the three, and with each of these broken in turn.
import { chmodSync, mkdirSync, mkdtempDisposableSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { writeCredentials } from '../../cli/start/kept-credentials.ts';
import { openVaultFile } from '../../vault/database/sqlite-database.ts';
import { openWatcherDatabase } from '../../watcher/database/watcher-database.ts';
import { runDoctor } from '../support/doctor-run.ts';
import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWorld } from '../support/loop-world.ts';
import { createTestDatabase, query, vaultDatabases } from '../support/vault-databases.ts';

let nowhere: ReturnType<typeof mkdtempDisposableSync>;

beforeAll(() => {
  nowhere = directory();
});
afterAll(() => nowhere.remove());

/** Whether it was built here is not what is looked at. */
const isNotOfThePage = (complaint: string): boolean => !complaint.includes('vault: page');
const portOf = (url: string): string => new URL(url).port;

describe.each(vaultDatabases)('the whole set on %s', (kind) => {
  let world: LoopWorld;
  let watcherDir: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    world = await startLoopWorld({ kind });
    watcherDir = join(world.dataDir, 'watcher');
    const { url } = world.vault.database;
    env = {
      ...{ VAULT_DATA_DIR: world.vault.dataDir, VAULT_PORT: portOf(world.vault.url) },
      ...(url === null ? {} : { DATABASE_URL: url }),
      ...{ WATCHER_DATA_DIR: watcherDir, WATCHER_HEALTH_PORT: '0' },
      ...{ WATCHER_VAULT_URL: world.vault.url, WATCHER_GATEWAY_URL: world.gateway.url },
      WATCHER_VAULT_KEY: (await world.vault.key(world.admin.userId)).token,
      WATCHER_GATEWAY_TOKEN: await world.gateway.mint('seen-by-the-doctor'),
    };
    const watcher = await world.startWatcher();
    await watcher.close();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const doctor = async (more: Record<string, string> = {}) => {
    const seen = await runDoctor(nowhere.path, { ...env, ...more });
    return { ...seen, complaints: seen.complaints.filter(isNotOfThePage) };
  };

  test('is well, link by link', async () => {
    const { code, complaints, about } = await doctor();
    expect(complaints).toEqual([]);
    expect(code).toBe(0);
    expect(about('gateway')).toMatchObject([{ seen: 'none on this host' }]);
    expect(about('vault')[1]).toMatchObject({ seen: expect.stringMatching(/^answers at/) });
    expect(about('vault: database')).toMatchObject([
      { seen: expect.stringMatching(/1 users, 1 agents, \d+ events$/) },
    ]);
    expect(about('vault: audit log')[0]?.seen).toMatch(/rows, whole$/);
    expect(about('watcher: journal')[0]?.seen).toMatch(/0 messages open, none given up$/);
    expect(about('watcher to')).toMatchObject([
      { name: 'watcher to vault', seen: expect.stringContaining('takes the key') },
      { name: 'watcher to gateway', seen: expect.stringContaining('seen-by-the-doctor') },
    ]);
  });

  test('a key or a token that is no good any more', async () => {
    const poor = await world.vault.key(world.admin.userId, {
      scopes: ['self:read', 'agents:read'],
    });
    const { code, complaints, about } = await doctor({
      WATCHER_VAULT_KEY: poor.token,
      WATCHER_GATEWAY_TOKEN: 'cf_revoked',
    });
    expect([code, complaints]).toEqual([1, ['fail watcher to vault', 'fail watcher to gateway']]);
    expect(about('watcher to vault')[0]?.seen).toMatch(/may not events:read.*hosts:write/);
    expect(about('watcher to gateway')[0]?.seen).toContain("does not know the watcher's token");
    const unknown = await doctor({ WATCHER_VAULT_KEY: 'cv_prod_unknown' });
    expect(unknown.about('watcher to vault')[0]?.seen).toContain("does not know the watcher's key");
  });

  test('a signing key, the one that the vault has made, that others can read', async () => {
    const key = join(world.vault.dataDir, 'vault-keys/signing-key.pem');
    chmodSync(key, 0o644);
    const { code, complaints, about } = await doctor();
    chmodSync(key, 0o600);
    expect([code, complaints]).toEqual([1, ['fail vault: file modes']]);
    expect(about('vault: file modes')[0]?.seen).toContain(`${key} is 644`);
  });

  test('what AGENTS_FILE asks for and is not there', async () => {
    const agentsFile = join(world.dataDir, 'agents-of-the-doctor.json');
    const inbox = join(world.dataDir, 'inbox');
    mkdirSync(inbox, { recursive: true });
    const linked = join(world.dataDir, `linked-${kind}`);
    symlinkSync(inbox, linked);
    const agents = {
      Librarian: { workspace: 'notes', inbox: linked },
      Gardener: { inbox: '/nowhere/at/all' },
    };
    writeFileSync(agentsFile, JSON.stringify({ agents }));
    const { code, complaints, about } = await doctor({ AGENTS_FILE: agentsFile });
    expect(code).toBe(1);
    expect(complaints).toEqual([
      ...['fail watcher: inbox', 'fail watcher: inbox', 'warn watcher: agents'],
      'fail watcher to gateway',
    ]);
    expect(about('watcher: inbox').map(({ seen }) => seen)).toEqual([
      `${linked} of Librarian is no directory`,
      '/nowhere/at/all of Gardener is not there',
    ]);
    expect(about('watcher to gateway')[1]?.seen).toBe(
      'Librarian is to work in notes, which seen-by-the-doctor was not granted',
    );
    writeFileSync(agentsFile, '{"agents": {"Librarian": {"modell": "opus"}}}');
    const wrong = await doctor({ AGENTS_FILE: agentsFile });
    expect(wrong.complaints).toEqual(['fail watcher: agents']);
  });

  test('services that are away: a failure for a watcher that runs, else a warning', async () => {
    const away = {
      WATCHER_VAULT_URL: 'http://127.0.0.1:9',
      WATCHER_GATEWAY_URL: 'http://127.0.0.1:9',
    };
    const { code, complaints } = await doctor(away);
    expect(code).toBe(0);
    expect(complaints).toEqual(['warn watcher to vault', 'warn watcher to gateway']);
    const running = await world.startWatcher(away, join(world.dataDir, `running-${kind}`));
    await running.watcher.healthApp.listen({ host: '127.0.0.1', port: 0 });
    const address = running.watcher.healthApp.server.address();
    const port = typeof address === 'object' && address !== null ? String(address.port) : '';
    const seen = await doctor({ ...away, WATCHER_HEALTH_PORT: port });
    expect(seen.complaints).toEqual([
      ...['fail watcher', 'fail watcher to vault', 'fail watcher to gateway'],
    ]);
    await running.close();
  });
});

function directory() {
  return mkdtempDisposableSync(join(tmpdir(), 'gatehouse-doctor-'));
}

async function complaintsIn(dir: string, more: Record<string, string> = {}): Promise<string[]> {
  const env = { VAULT_DATA_DIR: dir, WATCHER_DATA_DIR: dir, VAULT_PORT: '0', ...more };
  const { findings } = await runDoctor(nowhere.path, env);
  return findings
    .filter(({ status }) => status !== 'pass')
    .map(({ status, name, seen }) => `${status} ${name}: ${seen.replaceAll(dir, 'data')}`)
    .filter(isNotOfThePage);
}

describe('what lies on the disk', () => {
  test('an empty database, a database of others, a garbled one', async () => {
    using dir = directory();
    const path = join(dir.path, 'vault.db');
    writeFileSync(path, '', { mode: 0o600 });
    writeFileSync(join(dir.path, 'watcher.db'), 'no database at all'.repeat(100), { mode: 0o600 });
    const secrets = { WATCHER_VAULT_KEY: 'cv_prod_x', WATCHER_GATEWAY_TOKEN: 'cf_x' };
    const away = {
      WATCHER_VAULT_URL: 'http://127.0.0.1:9',
      WATCHER_GATEWAY_URL: 'http://127.0.0.1:9',
    };
    expect(await complaintsIn(dir.path, { ...secrets, ...away })).toEqual([
      expect.stringMatching(/^fail vault: database: database data\/vault\.db is empty/),
      expect.stringMatching(/^fail watcher: journal: database data\/watcher\.db is not a database/),
      expect.stringMatching(/^warn watcher to vault/),
      expect.stringMatching(/^warn watcher to gateway/),
    ]);
  });

  test('databases that a newer program has used', async () => {
    using dir = directory();
    const [vault, watcher] = [join(dir.path, 'vault.db'), join(dir.path, 'watcher.db')];
    openVaultFile(vault).close();
    openWatcherDatabase(watcher).close();
    for (const path of [vault, watcher]) {
      const db = new SqliteDatabase(path);
      db.pragma('user_version = 99');
      db.close();
    }
    const secrets = { WATCHER_VAULT_KEY: 'cv_prod_x', WATCHER_GATEWAY_TOKEN: 'cf_x' };
    expect(await complaintsIn(dir.path, secrets)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^fail vault: database: data\/vault\.db has schema 99/),
        expect.stringMatching(/^fail watcher: journal: data\/watcher\.db has schema 99/),
      ]),
    );
  });

  test('secrets that others can read', async () => {
    using dir = directory();
    const key = join(dir.path, 'vault-keys/signing-key.pem');
    mkdirSync(join(dir.path, 'vault-keys'), { mode: 0o700 });
    writeFileSync(key, 'a key', { mode: 0o600 });
    chmodSync(key, 0o644);
    const credentials = join(dir.path, 'watcher-credentials.json');
    writeCredentials(credentials, { vaultKey: 'cv_prod_x', gatewayToken: 'cf_x' });
    chmodSync(credentials, 0o640);
    const seen = await complaintsIn(dir.path, { DATABASE_URL: 'postgres://127.0.0.1:9/none' });
    expect(seen).toEqual([
      'fail vault: file modes: data/vault-keys/signing-key.pem is 644: others on this machine get at it',
      expect.stringMatching(/^fail vault: database: .*DATABASE_URL/),
      expect.stringMatching(
        /^fail watcher: credentials: data\/watcher-credentials\.json can be read by others/,
      ),
    ]);
  });

  test('wrong settings, all at once; a database without its tables', async () => {
    using dir = directory();
    await using database = await createTestDatabase('postgres');
    const seen = await complaintsIn(dir.path, {
      ...{ DATABASE_URL: database.url ?? '', VAULT_RATE_BURST: 'many', VAULT_URL: 'vault' },
      ...{ WATCHER_VAULT_KEY: 'cv_prod_x', WATCHER_POLL_SECS: 'often' },
    });
    expect(seen).toEqual([
      expect.stringMatching(/^fail vault: configuration: VAULT_URL/),
      expect.stringMatching(/^fail vault: configuration: VAULT_RATE_BURST/),
      expect.stringMatching(/^fail watcher: configuration: WATCHER_POLL_SECS/),
      expect.stringMatching(/^fail watcher: configuration: WATCHER_GATEWAY_TOKEN is missing/),
    ]);
    const fresh = await complaintsIn(dir.path, { DATABASE_URL: database.url ?? '' });
    // The first start makes them.
    expect(fresh).toEqual([]);
  });

  test('a PostgreSQL that a newer vault has used, or an older one', async () => {
    using dir = directory();
    await using database = await createTestDatabase('postgres');
    const env = { DATABASE_URL: database.url ?? '' };
    const table = 'create table gatehouse_vault_schema (version integer primary key)';
    await query(env.DATABASE_URL, `${table}; insert into gatehouse_vault_schema values (1)`);
    expect(await complaintsIn(dir.path, env)).toEqual([
      expect.stringMatching(/^warn vault: database: .* has schema 1 of \d+/),
    ]);
    await query(env.DATABASE_URL, 'insert into gatehouse_vault_schema values (99)');
    expect(await complaintsIn(dir.path, env)).toEqual([
      expect.stringMatching(/^fail vault: database: .* has schema 99, this program knows \d+/),
    ]);
  });
});
