// A page of what is new, out of a million events, against the bare select.
import SqliteDatabase from 'better-sqlite3';
import { Client } from 'pg';

import { vaultDatabases } from '../support/vault-databases.ts';
import type { VaultDatabase } from '../support/vault-databases.ts';
import { openPool, startBenchVault } from './bench-vault.ts';
import type { BenchVault } from './bench-vault.ts';
import { interleave } from './interleave.ts';
import { median } from './statistics.ts';
import type { Row } from './table.ts';

const events = 1_000_000;
const pageSize = 50;
const pageMsMax = 10;
const rounds = 300;

export async function measureVaultSince(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of vaultDatabases) rows.push(await measureOn(kind));
  return rows;
}

async function measureOn(kind: VaultDatabase): Promise<Row> {
  await using vault = await startBenchVault(kind);
  await fill(vault);
  await using pool = openPool(vault.url, 1);
  await using bare = await openBareSelect(vault);
  const place = (): [string, number] => [
    vault.agentIds[Math.floor(Math.random() * vault.agentIds.length)] ?? '',
    Math.floor(Math.random() * events * 0.99),
  ];
  const page = async (): Promise<void> => {
    const [agentId, since] = place();
    const path = `/agents/${agentId}/events?since=${since}&limit=${pageSize}`;
    const { data } = (await vault.ask(pool, { path })) as { data: unknown[] };
    if (data.length !== pageSize) throw new Error(`a page of ${data.length}`);
  };
  const { ours, baseline } = await interleave(
    { ours: () => elapsed(page), baseline: () => elapsed(() => bare.select(...place())) },
    { rounds, warmUp: 50 },
  );
  const [oursMs, baselineMs] = [median(ours), median(baseline)];
  return {
    name: `${kind}: a since page of ${pageSize} over ${events} events, p50`,
    measured: `${oursMs.toFixed(2)} ms`,
    target: `< ${pageMsMax} ms`,
    isMet: oursMs < pageMsMax,
    ours: `${oursMs.toFixed(2)} ms (${(oursMs / baselineMs).toFixed(1)}x)`,
    baseline: `${baselineMs.toFixed(2)} ms bare select`,
    samples: rounds,
    phases: [],
  };
}

/** The feeds take turns. */
async function fill({ kind, agentIds, execute }: BenchVault): Promise<void> {
  const numbers =
    kind === 'postgres'
      ? `select n from generate_series(1000, ${events}) as n`
      : `with recursive s (n) as (select 1000 union all select n + 1 from s where n < ${events}) select n from s`;
  const agent = `case n % ${agentIds.length} ${agentIds
    .map((agentId, index) => `when ${index} then '${agentId}'`)
    .join(' ')} end`;
  await execute(`
    insert into events (seq, realm, event_id, agent_id, event_type, content, metadata, reply_to, attachments,
        author_kind, author_id, author_name, idempotency_key, request_sha256, created_at)
      select n, 'main', 'evt_' || n, ${agent}, 'user_message',
        'Event ' || n || ' of many, about as long as a message of a person is.', '{"source":"api"}', null, '[]',
        'key', 'key_' || (n % 7), 'somebody', 'k' || n, null, '2026-01-01T00:00:00.000Z'
      from (${numbers}) as numbers;
    update counters set value = ${events} where name = 'events';
  `);
  await execute('analyze');
}

async function openBareSelect({
  databaseUrl,
  databaseFile,
}: BenchVault): Promise<
  AsyncDisposable & { select: (agentId: string, since: number) => Promise<unknown> }
> {
  if (databaseUrl === null) {
    const db = new SqliteDatabase(databaseFile, { readonly: true });
    const statement = db.prepare(bareSelect('?', '?'));
    return {
      select: async (agentId, since) => statement.all(agentId, since),
      [Symbol.asyncDispose]: async () => void db.close(),
    };
  }
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    select: (agentId, since) =>
      client.query({ name: 'bare', text: bareSelect('$1', '$2'), values: [agentId, since] }),
    [Symbol.asyncDispose]: () => client.end(),
  };
}

function bareSelect(agent: string, since: string): string {
  return `select * from events where agent_id = ${agent} and seq > ${since} order by seq limit ${pageSize + 1}`;
}

async function elapsed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}
