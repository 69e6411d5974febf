import { join } from 'node:path';

import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import { Client, Pool, types } from 'pg';

import { readMigrations } from '#shared/database-migrations.ts';
import { StartError } from '#shared/errors.ts';
import type { Log } from '#shared/log.ts';

import { databaseUnavailable } from '../vault-errors.ts';
import { createPostgresConnections } from './postgres-connections.ts';
import type { Db, Tables } from './tables.ts';
import type { DatabaseParts } from './vault-database.ts';

/** Any number will do, as long as it is the same in every version: who writes holds it until its commit. */
const writerLock = 0x47544856;
const migrationLock = writerLock + 1;

const connectMs = 3000;
const statementMs = 15_000;

const bigintTypes: ReadonlySet<number> = new Set([types.builtins.INT8]);
const readersMax = 10;

/** Throws StartError when it cannot be reached or used. */
export async function openPostgres(databaseUrl: string, log: Log): Promise<DatabaseParts> {
  await migratePostgres(databaseUrl);
  const onLost = (err: unknown): void => log.warn({ err }, 'a connection to the database was lost');
  const readers = openPool(databaseUrl, readersMax, onLost);
  const [reads, writes] = [
    kyselyOnPool(readers),
    // Of its own, so that whoever writes never waits for readers.
    kyselyOnPool(openPool(databaseUrl, 1, onLost)),
  ];
  return {
    kind: 'postgres',
    reads,
    writes,
    async begin(connection) {
      await sql`begin; select pg_advisory_xact_lock(${sql.lit(writerLock)})`.execute(connection);
    },
    sync: async () => {},
    makeRoom: () => false,
    explain: (err) => (isAway(err) ? databaseUnavailable(err) : err),
    isFull: () => false,
    async sizeBytes() {
      const { rows } = await readers.query('select pg_database_size(current_database()) as size');
      return Number(rows[0].size);
    },
    async close() {
      await reads.destroy();
      await writes.destroy();
    },
  };
}

/** What is lost while it is idle or in use is told to `onLost`; whoever uses it hears of it as well. */
export function openPool(
  connectionString: string,
  max: number,
  onLost: (err: unknown) => void,
): Pool {
  const pool = new Pool({
    ...connectionOptions(connectionString),
    max,
    statement_timeout: statementMs,
    query_timeout: statementMs + 1000,
    idle_in_transaction_session_timeout: statementMs,
    // A bigint comes as text otherwise; ours are below 2^53.
    types: {
      getTypeParser: (oid, format) =>
        bigintTypes.has(oid) ? Number : types.getTypeParser(oid, format),
    },
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', onLost);
  // Nor does the loss of one in use, which Kysely does not listen for.
  pool.on('connect', (client) => client.on('error', onLost));
  return pool;
}

function connectionOptions(connectionString: string) {
  return {
    ...{ connectionString, connectionTimeoutMillis: connectMs, keepAlive: true },
    application_name: 'gatehouse-vault',
  };
}

export function kyselyOnPool(pool: Pool): Db {
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: createPostgresConnections(pool) }),
    plugins: [new CamelCasePlugin()],
  });
}

/** On a connection without limits: a migration of large tables takes its time, and so does waiting for another starter's. */
async function migratePostgres(databaseUrl: string): Promise<void> {
  const client = new Client(connectionOptions(databaseUrl));
  client.on('error', () => {});
  try {
    await client.connect();
    await migrate(client);
  } catch (err) {
    throw err instanceof StartError ? err : cannotBeUsed(err);
  } finally {
    // The end of the connection undoes a transaction that is open.
    await client.end();
  }
}

async function migrate(client: Client): Promise<void> {
  const migrations = readMigrations(join(import.meta.dirname, 'migrations'));
  await client.query('begin');
  // Of two that start at once the second finds everything done.
  await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
  const current = await readVersion(client);
  if (current > migrations.length) {
    throw new StartError(
      `the database of DATABASE_URL has schema ${current}, this program knows ${migrations.length}: it is too old`,
    );
  }
  for (const { version, sql: text } of migrations.slice(current)) {
    await client.query(text);
    await client.query('insert into gatehouse_vault_schema (version) values ($1)', [version]);
  }
  await client.query('commit');
}

async function readVersion(client: Client): Promise<number> {
  const { rows } = await client.query('show server_encoding');
  if (rows[0].server_encoding !== 'UTF8') {
    throw new StartError(
      `the database of DATABASE_URL has the encoding ${rows[0].server_encoding}: it must be UTF8`,
    );
  }
  await client.query(
    'create table if not exists gatehouse_vault_schema (version integer primary key)',
  );
  const found = await client.query(
    'select coalesce(max(version), 0) as version from gatehouse_vault_schema',
  );
  return Number(found.rows[0].version);
}

export function cannotBeUsed(cause: unknown): StartError {
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : codeOf(cause);
  return new StartError(`the database of DATABASE_URL cannot be used: ${reason}`, { cause });
}

const awayCodes =
  /^(?:08|0A000|28|3D000|53|57P|57014|58|25P03|55P03|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/;
const awayMessages =
  /connection terminated|timeout exceeded when trying to connect|query read timeout|client has encountered a connection error|not queryable/i;

/** The server, not the request, is the reason. */
function isAway(err: unknown): boolean {
  if (!(err instanceof Error)) return false;
  return awayCodes.test(codeOf(err)) || awayMessages.test(err.message) || isAway(err.cause);
}

function codeOf(err: unknown): string {
  return err instanceof Error && 'code' in err ? String(err.code) : '';
}
