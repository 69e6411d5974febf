// A vault in a process of its own, on either database, with agents and keys, for measuring it over HTTP.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import { Client } from 'pg';
import { Pool } from 'undici';

import { startNode } from '../support/child-script.ts';
import { startPostgresServer } from '../support/postgres-server.ts';
import { createPostgresDatabase } from '../support/vault-databases.ts';
import type { VaultDatabase } from '../support/vault-databases.ts';

export type BenchVault = AsyncDisposable & {
  kind: VaultDatabase;
  url: string;
  /** Of a hundred keys that may do everything. */
  tokens: string[];
  /** Of somebody who has signed in, whose messages are those of the page. */
  personToken: string;
  /** Of twenty agents. */
  agentIds: string[];
  databaseUrl: string | null;
  databaseFile: string;
  /** Of the event loop, p99, since it was asked last. */
  lagMs: () => Promise<number>;
  /** In the vault's database, beside it. */
  execute: (sql: string) => Promise<void>;
  /** Gives the body; throws unless the answer has this status. */
  ask: (pool: Pool, request: BenchRequest) => Promise<unknown>;
};

export type BenchRequest = { path: string; token?: string; body?: unknown; status?: number };

/** The disk is waited for as in production. */
export async function startBenchVault(kind: VaultDatabase): Promise<BenchVault> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  let databaseUrl: string | null = null;
  if (kind === 'postgres') {
    const server = opened.use(await startPostgresServer({ durable: true }));
    ({ url: databaseUrl } = await createPostgresDatabase(server.url));
  }
  const env = {
    VAULT_DATA_DIR: dataDir,
    ...(databaseUrl === null ? {} : { DATABASE_URL: databaseUrl }),
  };
  const script = opened.use(startNode(['test/bench/vault-server.ts'], env));
  const said = await script.said('ready ');
  const ready: Pick<BenchVault, 'url' | 'tokens' | 'agentIds' | 'personToken'> = JSON.parse(
    said.slice('ready '.length),
  );
  const databaseFile = join(dataDir, 'vault.db');
  const [token = ''] = ready.tokens;
  let asked = 0;
  const kept = opened.move();
  return {
    ...ready,
    ...{ kind, databaseUrl, databaseFile },
    async lagMs() {
      asked += 1;
      script.child.stdin.write('lag\n');
      return Number((await script.said(`lag ${asked}: `)).split(' ')[2]);
    },
    async execute(sql) {
      if (databaseUrl === null) {
        const db = new SqliteDatabase(databaseFile, { timeout: 10_000 });
        db.exec(sql);
        db.close();
        return;
      }
      const client = new Client({ connectionString: databaseUrl });
      await client.connect();
      await client.query(sql);
      await client.end();
    },
    async ask(pool, request) {
      const { path, body } = request;
      const wanted = request.status ?? (body === undefined ? 200 : 201);
      const answer = await pool.request({
        path: `/api/v1${path}`,
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          authorization: `Bearer ${request.token ?? token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.body.text();
      if (answer.statusCode !== wanted) {
        throw new Error(`${path} answered ${answer.statusCode}: ${text}`);
      }
      return JSON.parse(text);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export function openPool(url: string, connections: number): Pool & AsyncDisposable {
  const pool = new Pool(url, { connections, pipelining: 1 });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.destroy() });
}
