import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createConnection } from 'node:net';

import { Pool } from 'pg';
import { describe, expect, inject, test } from 'vitest';

import { startScript } from '../support/child-script.ts';
import { isAlive } from '../support/leak-check.ts';
import { sharedMemoryOf, startPostgresServer } from '../support/postgres-server.ts';
import { commandLineOf } from '../support/process-facts.ts';
import {
  createPostgresDatabase,
  createTestDatabase,
  query,
  vaultDatabases,
} from '../support/vault-databases.ts';

test('answers on loopback only, to who has its password', async () => {
  const url = inject('postgresUrl');
  expect(await query(url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  await expect(query(withPassword(url, 'wrong'), 'select 1')).rejects.toMatchObject({
    code: '28P01',
  });
});

test('keeps its port and its data when it is stopped under load', async () => {
  await using server = await startPostgresServer();
  await query(server.url, 'create table entries (id int)');
  await using load = startLoad(server.url);
  for (const mode of ['fast', 'immediate'] as const) {
    const before = load.committed();
    await expect.poll(load.committed).toBeGreaterThan(before + 20);
    await server.stop(mode);
    expect(server.pid()).toBeNull();
    expect(await connects(server.port)).toBe(false);
    await server.start();
  }
  const before = load.committed();
  await expect.poll(load.committed).toBeGreaterThan(before + 20);
  await load.stop();
  expect(await count(server.url)).toBeGreaterThanOrEqual(load.committed());
});

test('keeps what it has committed when it is killed', async () => {
  await using server = await startPostgresServer({ durable: true });
  expect(await query(server.url, 'show fsync')).toEqual([{ fsync: 'on' }]);
  await query(server.url, 'create table entries (id int)');
  for (let round = 1; round <= 2; round += 1) {
    await using load = startLoad(server.url);
    await expect.poll(load.committed).toBeGreaterThan(20);
    await server.kill();
    await load.stop();
    await server.start();
    expect(await count(server.url)).toBeGreaterThanOrEqual(load.committed());
    await query(server.url, 'truncate entries');
  }
});

test('says why it does not start', async () => {
  await using server = await startPostgresServer();
  await server.stop('fast');
  await rm(`${server.dir}/data/global/pg_control`);
  await expect(server.start()).rejects.toThrow('pg_control');
});

describe('leaves nothing behind', () => {
  test.for(['running', 'stopped', 'killed'] as const)('when it is %s at its end', async (state) => {
    let dir = '';
    let memory = '';
    {
      await using server = await startPostgresServer();
      dir = server.dir;
      memory = await sharedMemoryOf(dir);
      expect(sharedMemorySegments()).toContain(memory);
      if (state === 'stopped') await server.stop('fast');
      if (state === 'killed') await server.kill();
    }
    expect(existsSync(dir)).toBe(false);
    expect(processesIn(dir)).toEqual([]);
    expect(sharedMemorySegments()).not.toContain(memory);
  });

  test('of its processes when the process of the test is killed, even in the middle of a query', async () => {
    await using script = startScript(`
      const { startPostgresServer } = await import('./test/support/postgres-server.ts');
      const { Client } = await import('pg');
      const server = await startPostgresServer();
      const client = new Client(server.url);
      await client.connect();
      void client.query('select count(*) from generate_series(1, 1e12)');
      console.log('running ' + JSON.stringify({ dir: server.dir, pid: server.pid() }));
    `);
    const said = await script.said('running ');
    const { dir, pid } = JSON.parse(said.replace('running ', ''));
    expect(isAlive(pid)).toBe(true);
    expect(processesIn(dir)).toEqual([pid]);
    script.child.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
    await rm(dir, { recursive: true });
  });
});

describe.each(vaultDatabases)('a test database on %s', (kind) => {
  test('has a URL that the vault takes', async () => {
    await using database = await createTestDatabase(kind);
    expect(database.url === null).toBe(kind === 'sqlite');
  });
});

test('a test database is empty, its own, and gone at the end with those who use it', async () => {
  const serverUrl = inject('postgresUrl');
  await using second = await createPostgresDatabase(serverUrl);
  await using left = new AsyncDisposableStack();
  const tables = "select * from pg_tables where schemaname = 'public'";
  let url = '';
  {
    await using first = await createPostgresDatabase(serverUrl);
    url = first.url;
    await query(url, 'create table entries (id int)');
    expect(await query(url, tables)).toHaveLength(1);
    expect(await query(second.url, tables)).toEqual([]);
    const pool = left.adopt(new Pool({ connectionString: url }), (each) => each.end());
    pool.on('error', () => {});
    await pool.query('select 1');
  }
  await expect(query(url, 'select 1')).rejects.toMatchObject({ code: '3D000' });
});

async function count(url: string): Promise<number> {
  const [row] = await query(url, 'select count(*)::int as count from entries');
  return (row as { count: number }).count;
}

type Load = AsyncDisposable & { committed: () => number; stop: () => Promise<void> };

/** Clients that write one row after the other, whatever becomes of each. */
function startLoad(url: string): Load {
  const pool = new Pool({ connectionString: url, max: 8 });
  pool.on('error', () => {});
  let committed = 0;
  const stopping = new AbortController();
  const clients = Array.from({ length: 8 }, async () => {
    while (!stopping.signal.aborted) {
      await pool.query('insert into entries values (1)').then(
        () => (committed += 1),
        () => null,
      );
    }
  });
  const stop = async (): Promise<void> => {
    stopping.abort();
    await Promise.all(clients);
  };
  return {
    committed: () => committed,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await pool.end();
    },
  };
}

function withPassword(url: string, password: string): string {
  return Object.assign(new URL(url), { password }).href;
}

async function connects(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('error', () => resolve(false));
    socket.once('connect', () => resolve(true)).once('connect', () => socket.destroy());
  });
}

/** Live processes that were started with this directory in their command line. */
function processesIn(dir: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLineOf(pid).includes(dir) && isAlive(pid));
}

function sharedMemorySegments(): (string | undefined)[] {
  const [, ...rows] = readFileSync('/proc/sysvipc/shm', 'utf8').trim().split('\n');
  return rows.map((row) => row.trim().split(/\s+/)[1]);
}
