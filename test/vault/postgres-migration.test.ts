// kill -9 at each step of opening a database of PostgreSQL, until one opening is not killed; and two that open it at once.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Client } from 'pg';
import { expect, inject, test } from 'vitest';

import { startScript } from '../support/child-script.ts';
import { createPostgresDatabase, createTestDatabase } from '../support/vault-databases.ts';
import { seedVault, startVaultProcess } from '../support/vault-process.ts';

const testTimeoutMs = 120_000;

/** Killed before its n-th statement, or when that has just been sent. */
const opener = `
  import pg from 'pg';
  import { openVaultDatabase } from './vault/database/vault-database.ts';
  import { systemClock } from './shared/clock.ts';
  import { createLog } from './shared/log.ts';
  const end = () => process.kill(process.pid, 'SIGKILL');
  let left = Number(process.env.STATEMENTS);
  const { query } = pg.Client.prototype;
  pg.Client.prototype.query = function (...args) {
    left -= 1;
    if (left < 0 && process.env.WHEN === 'before') end();
    const asked = query.apply(this, args);
    if (left < 0) setTimeout(end, Number(process.env.AFTER_MS));
    return asked;
  };
  const database = await openVaultDatabase({
    databaseUrl: process.env.DATABASE_URL,
    dataDir: '.',
    onCommitted: () => {},
    clock: systemClock,
    log: createLog({ level: 'silent', service: 'vault' }),
  });
  await database.close();
`;

const kill = async (url: string, env: Record<string, string>): Promise<string | null> => {
  await using script = startScript(opener, { DATABASE_URL: url, ...env });
  const { signal, code, stderr } = await script.ended;
  if (code !== 0 && signal === null) throw new Error(stderr);
  return signal;
};
const schemaOf = async (url: string): Promise<unknown> => {
  await kill(url, { STATEMENTS: '1000' });
  const client = new Client({ connectionString: url });
  await client.connect();
  const rows = async (text: string) => (await client.query(text)).rows;
  const schema = [
    await rows('select version from gatehouse_vault_schema order by version'),
    await rows(
      "select table_name, column_name, data_type, is_nullable from information_schema.columns where table_schema = 'public' order by 1, 2",
    ),
    await rows(
      "select tablename, indexname, indexdef from pg_indexes where schemaname = 'public' order by 2",
    ),
  ];
  await client.end();
  return schema;
};

test(
  'after kill -9 at any step of the first opening, the next one completes',
  async () => {
    await using whole = await createPostgresDatabase(inject('postgresUrl'));
    const expected = await schemaOf(whole.url);
    let statements = 0;
    for (let signal: string | null = 'SIGKILL'; signal === 'SIGKILL'; statements += 1) {
      await using database = await createPostgresDatabase(inject('postgresUrl'));
      const env = { STATEMENTS: String(statements), WHEN: 'before' };
      signal = await kill(database.url, env);
      expect(await schemaOf(database.url)).toEqual(expected);
    }
    expect(statements).toBeGreaterThan(7);
  },
  testTimeoutMs,
);

test(
  'after kill -9 in the middle of the migration, the next one completes',
  async () => {
    await using whole = await createPostgresDatabase(inject('postgresUrl'));
    const expected = await schemaOf(whole.url);
    // The sixth statement is the whole of the first migration; it takes some 30 ms.
    for (const ms of [0, 3, 6, 10, 15, 20, 30]) {
      await using database = await createPostgresDatabase(inject('postgresUrl'));
      const env = { STATEMENTS: '5', WHEN: 'after', AFTER_MS: String(ms) };
      expect(await kill(database.url, env)).toBe('SIGKILL');
      expect(await schemaOf(database.url)).toEqual(expected);
    }
  },
  testTimeoutMs,
);

test('two that start at once both come up, on a schema that is made once', async () => {
  await using database = await createTestDatabase('postgres');
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const start = (name: string) => startVaultProcess(join(directory.path, name), database);
  const [one, other] = await Promise.all([start('one'), start('other')]);
  try {
    for (const { call } of [one, other]) {
      expect((await call(null, '/health/ready')).status).toBe(200);
    }
    await using seeded = await seedVault(database, 2, join(directory.path, 'third'));
    const { token, agentIds } = seeded;
    // Each gives its numbers under the same lock.
    const posts = Array.from({ length: 40 }, (_, index) => {
      const { call } = index % 2 === 0 ? one : other;
      const body = { event_type: 'user_message', content: `event ${index}` };
      return call(token, `/agents/${agentIds[index % 2]}/events`, { body });
    });
    const seqs = (await Promise.all(posts)).map(({ body }) => body.data.seq);
    expect(new Set(seqs).size).toBe(40);
  } finally {
    await one[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  }
});
