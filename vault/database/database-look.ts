// A look at the database of a vault that may be running: nothing is written, nothing brought up to date.
import { join } from 'node:path';

import { readMigrations } from '#shared/database-migrations.ts';

import { cannotBeUsed, kyselyOnPool, openPool } from './postgres-database.ts';
import {
  kyselyOn,
  migrationsDir,
  openVaultFileReadOnly,
  vaultDatabaseFile,
} from './sqlite-database.ts';
import type { Db } from './tables.ts';

export type DatabaseLook = AsyncDisposable & {
  /** Where it lies; without a password. */
  place: string;
  schema: { schema: number; newestSchema: number };
  /** All that `work` reads is as it was at one moment, whatever is written meanwhile. */
  atOneMoment: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
};

const newestSchema = readMigrations(migrationsDir).length;

/** Throws StartError for what cannot be read. */
export async function lookAtDatabase(where: {
  databaseUrl: string | null;
  dataDir: string;
}): Promise<DatabaseLook> {
  const { databaseUrl, dataDir } = where;
  return databaseUrl === null
    ? lookAtFile(join(dataDir, vaultDatabaseFile))
    : lookAtPostgres(databaseUrl);
}

export function lookAtFile(path: string): DatabaseLook {
  const file = openVaultFileReadOnly(path);
  const db = kyselyOn(file);
  return {
    place: path,
    schema: { schema: Number(file.pragma('user_version', { simple: true })), newestSchema },
    atOneMoment: (work) => db.transaction().execute(work),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

async function lookAtPostgres(databaseUrl: string): Promise<DatabaseLook> {
  const pool = openPool(databaseUrl, 1, () => {});
  let schema: number;
  try {
    const { rows } = await pool.query('select max(version) as schema from gatehouse_vault_schema');
    schema = Number(rows[0].schema);
  } catch (err) {
    await pool.end();
    throw cannotBeUsed(err);
  }
  const db = kyselyOnPool(pool);
  const { host, pathname } = new URL(databaseUrl);
  return {
    place: `the database ${pathname.slice(1)} on ${host}`,
    schema: { schema, newestSchema },
    atOneMoment: (work) =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(work),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
