// A database as the first version made it, opened by this one: what was in it is still there.
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { newId } from '#shared/ids.ts';
import { createLog } from '#shared/log.ts';

import { toSqlite } from '../../vault/database/migration-sql.ts';
import {
  migrationsDir,
  vaultApplicationId,
  vaultDatabaseFile,
} from '../../vault/database/sqlite-database.ts';
import { openVaultDatabase } from '../../vault/database/vault-database.ts';
import { createOneTimeLinks } from '../../vault/identity/one-time-links.ts';
import { digestOf, mint } from '../../vault/identity/secret-text.ts';
import { realm } from '../../vault/realm.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';

const firstSchema = readFileSync(join(migrationsDir, '0001-people-agents-feeds.sql'), 'utf8');
const token = mint('link');
const at = '2026-11-01T10:00:00.000Z';
const rows = `
  insert into users (user_id, realm, name, display_name, role, version, created_at, updated_at)
    values ('user_1', '${realm}', 'ada', 'Ada', 'admin', 1, '${at}', '${at}');
  insert into one_time_links (link_id, realm, kind, secret_sha256, user_id, created_by, created_at, expires_at)
    values ('link_1', '${realm}', 'password_reset', '${digestOf(token)}', 'user_1', 'user_1', '${at}', '2999-01-01T00:00:00.000Z');
  insert into idempotency_keys (realm, scope, path, key, request_sha256, status_code, body, created_at)
    values ('${realm}', 'user_1', 'POST /api/v1/agents', 'once', 'digest', 201, '{}', '${at}');
`;

async function fillPostgres(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('create table gatehouse_vault_schema (version integer primary key)');
  await client.query(`${firstSchema}${rows}`);
  await client.query('insert into gatehouse_vault_schema (version) values (1)');
  await client.end();
}

function fillSqlite(path: string): void {
  const db = new SqliteDatabase(path);
  db.exec(toSqlite(firstSchema));
  db.exec(rows);
  db.pragma('user_version = 1');
  db.pragma(`application_id = ${vaultApplicationId}`);
  db.close();
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('links and keys of the first version still work, and links that sign in are new', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
    await using made = await createTestDatabase(kind);
    if (made.url === null) fillSqlite(join(directory.path, vaultDatabaseFile));
    else await fillPostgres(made.url);
    const database = await openVaultDatabase({
      ...{ databaseUrl: made.url, dataDir: directory.path, clock: systemClock },
      ...{ onCommitted: () => {}, log: createLog({ level: 'silent', service: 'vault' }) },
    });
    try {
      const links = createOneTimeLinks({ realm, newId, clock: systemClock });
      const found = await links.find(database.reads, token, 'password_reset');
      expect(found).toMatchObject({ linkId: 'link_1', userId: 'user_1', createdAt: at });
      const key = await database.reads.selectFrom('idempotencyKeys').selectAll().execute();
      expect(key).toMatchObject([{ key: 'once', statusCode: 201, body: '{}', headers: null }]);
      const offered = await database.write((scope) =>
        links.offerSignIn(scope, { userId: 'user_1' }),
      );
      expect(await links.find(database.reads, offered.token, 'sign_in')).not.toBeNull();
      const stranger = database.write((scope) => links.offerSignIn(scope, { userId: 'user_2' }));
      await expect(stranger).rejects.toThrow(/foreign key/i);
    } finally {
      await database.close();
    }
  });
});
