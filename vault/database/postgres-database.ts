import { join } from 'node:path';

import { CamelCasePlugin, Kysely, PostgresDialect, sql } from 'kysely';
import { Pool, types } from 'pg';
import type { PoolClient } from 'pg';

import { readMigrations } from '#shared/database-migrations.ts';
import { StartError } from '#shared/errors.ts';
import type { Log } from '#shared/log.ts';

import { databaseUnavailable } from '../vault-errors.ts';
import type { Db, Tables } from './tables.ts';
import type { DatabaseParts } from './vault-database.ts';

/** Any number will do, as long as it is the same in every version: who writes holds it until its commit. */
const writerLock = 0x47544856;
const migrationLock = writerLock + 1;

const connectMs = 3000;
const statementMs = 15_000;
const bigintType = 20;

/** What is lost while it is idle or in use is told to `onLost`; whoever uses it hears of it as well. */
export function openPool(databaseUrl: string, onLost: (err: unknown) => void): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    max: 10,
    connectionTimeoutMillis: connectMs,
    statement_timeout: statementMs,
    query_timeout: statementMs + 1000,
    idle_in_transaction_session_timeout: statementMs,
    keepAlive: true,
    application_name: 'gatehouse-vault',
    // A bigint comes as text otherwise; ours are below 2^53.
    types: {
      getTypeParser: (oid, format) =>
        oid === bigintType ? Number : types.getTypeParser(oid, format),
    },
  });
  // Without a listener the loss of an idle connection would end the process.
  pool.on('error', onLost);
  // Nor does the loss of one in use, which Kysely does not listen for.
  pool.on('connect', (client) => client.on('error', onLost));
  return pool;
}

export function kyselyOnPool(pool: Pool): Db {
  return new Kysely<Tables>({
    dialect: new PostgresDialect({ pool }),
    plugins: [new CamelCasePlugin()],
  });
}

/** Throws StartError when it cannot be reached or used. */
export async function openPostgres(databaseUrl: string, log: Log): Promise<DatabaseParts> {
  const pool = openPool(databaseUrl, (err) =>
    log.warn({ err }, 'a connection to the database was lost'),
  );
  try {
    await migratePostgres(pool);
  } catch (err) {
    await pool.end();
    throw err instanceof StartError ? err : cannotBeUsed(err);
  }
  const db = kyselyOnPool(pool);
  return {
    kind: 'postgres',
    reads: db,
    writes: db,
    async begin(connection) {
      await sql`begin`.execute(connection);
      await sql`select pg_advisory_xact_lock(${writerLock})`.execute(connection);
    },
    sync: async () => {},
    makeRoom: () => false,
    explain: (err) => (isAway(err) ? databaseUnavailable(err) : err),
    isFull: () => false,
    async sizeBytes() {
      const { rows } = await pool.query('select pg_database_size(current_database()) as size');
      return Number(rows[0].size);
    },
    close: () => db.destroy(),
  };
}

async function migratePostgres(pool: Pool): Promise<void> {
  const migrations = readMigrations(join(import.meta.dirname, 'migrations'));
  const client = await pool.connect();
  try {
    await client.query('begin');
    // Of two that start at once the second finds everything done.
    await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
    const current = await readVersion(client);
    if (current > migrations.length) {
      throw new StartError(
        `the database has schema ${current}, this program knows ${migrations.length}: it is too old`,
      );
    }
    for (const { version, sql: text } of migrations.slice(current)) {
      await client.query(text);
      await client.query('insert into gatehouse_vault_schema (version) values ($1)', [version]);
    }
    await client.query('commit');
  } catch (err) {
    await client.query('rollback').catch(() => {});
    throw err;
  } finally {
    client.release();
  }
}

async function readVersion(client: PoolClient): Promise<number> {
  const { rows } = await client.query('show server_encoding');
  if (rows[0].server_encoding !== 'UTF8') {
    throw new StartError(
      `the database has the encoding ${rows[0].server_encoding}: it must be UTF8`,
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
  /^(?:08|53|57P|57014|58|25P03|55P03|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH)/;
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
