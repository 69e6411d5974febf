// Events posted by twenty writers, on one feed and on twenty, against a bare Fastify and against a bare insert into the same database.
import SqliteDatabase from 'better-sqlite3';
import { Pool as PostgresPool } from 'pg';
import type { Pool } from 'undici';

import { startNode } from '../support/child-script.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import type { VaultDatabase } from '../support/vault-databases.ts';
import { openPool, startBenchVault } from './bench-vault.ts';
import type { BenchVault } from './bench-vault.ts';
import { interleave } from './interleave.ts';
import { median } from './statistics.ts';
import { ratioRow } from './table.ts';
import type { Row } from './table.ts';

const writers = 20;
const rounds = 11;
const warmUp = 4;
const roundMs = 500;
const content = 'Name three uses of a gatehouse.';

export async function measureVaultPosts(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of vaultDatabases) rows.push(...(await measureOn(kind)));
  return rows;
}

/** On PostgreSQL the bare inserts run twenty at a time, where the vault's statements go one after the other. */
const targets = {
  sqlite: { hello: 0.04, insert: 0.3 },
  postgres: { hello: 0.02, insert: 0.04 },
};

async function measureOn(kind: VaultDatabase): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const hello = opened.use(startNode(['test/bench/hello-server.ts']));
  const vault = opened.use(await startBenchVault(kind));
  const helloPool = opened.use(openPool(await hello.said('http://'), writers));
  const vaultPool = opened.use(openPool(vault.url, writers));
  const bare = opened.use(await openBareTable(vault));
  const samples = await interleave(
    {
      hello: () => perSecond(() => get(helloPool)),
      insert: () => perSecond(() => bare.insert()),
      oneFeed: () => perSecond(() => post(vault, vaultPool, 0)),
      manyFeeds: () => perSecond((writer) => post(vault, vaultPool, writer)),
    },
    { rounds, warmUp },
  );
  const rateOf = (name: keyof typeof samples): number => median(samples[name]);
  const row = (feeds: string, ours: number, against: 'hello' | 'insert'): Row => {
    const baseline = rateOf(against);
    const name = `${kind}: event posts, 20 writers, ${feeds}, against ${against === 'hello' ? 'bare Fastify' : 'a bare insert'}`;
    return {
      ...ratioRow(name, { ours, baseline }, { atLeast: targets[kind][against] }),
      ours: `${ours.toFixed(0)}/s`,
      baseline: `${baseline.toFixed(0)}/s`,
      samples: rounds,
      phases: [],
    };
  };
  return (['hello', 'insert'] as const).flatMap((against) => [
    row('1 feed', rateOf('oneFeed'), against),
    row('20 feeds', rateOf('manyFeeds'), against),
  ]);
}

async function perSecond(act: (writer: number) => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + roundMs;
  let done = 0;
  const loop = async (writer: number): Promise<void> => {
    for (; performance.now() < endsAt; done += 1) await act(writer);
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => loop(writer)));
  return (done * 1000) / (performance.now() - startedAt);
}

async function get(pool: Pool): Promise<void> {
  const { body } = await pool.request({ path: '/bench', method: 'GET' });
  await body.dump();
}

async function post(vault: BenchVault, pool: Pool, writer: number): Promise<void> {
  const path = `/agents/${vault.agentIds[writer]}/events`;
  await vault.ask(pool, { path, body: { event_type: 'user_message', content } });
}

/** One row a transaction, on disk before the next: twenty at a time on PostgreSQL, where they share the wait. */
async function openBareTable({
  databaseUrl,
  databaseFile,
}: BenchVault): Promise<AsyncDisposable & { insert: () => Promise<unknown> }> {
  if (databaseUrl === null) {
    const db = new SqliteDatabase(`${databaseFile}.bare`);
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.exec('create table bare (id integer primary key, content text not null) strict');
    const insert = db.prepare('insert into bare (content) values (?)');
    return {
      insert: async () => insert.run(content),
      [Symbol.asyncDispose]: async () => void db.close(),
    };
  }
  const pool = new PostgresPool({ connectionString: databaseUrl, max: writers });
  await pool.query('create table bare (id bigserial primary key, content text not null)');
  return {
    insert: () =>
      pool.query({
        name: 'bare',
        text: 'insert into bare (content) values ($1)',
        values: [content],
      }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
