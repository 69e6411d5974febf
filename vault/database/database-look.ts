// A look at the database of a vault that may be running: nothing is written, nothing brought up to date.
import { join } from 'node:path';

import { cannotBeUsed, kyselyOnPool, openPool } from './postgres-database.ts';
import { kyselyOn, openVaultFileReadOnly, vaultDatabaseFile } from './sqlite-database.ts';
import type { Db } from './tables.ts';

export type DatabaseLook = AsyncDisposable & {
  /** Where it lies; without a password. */
  place: string;
  /** All that `work` reads is as it was at one moment, whatever is written meanwhile. */
  atOneMoment: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
};

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
  const db = kyselyOn(openVaultFileReadOnly(path));
  return {
    place: path,
    atOneMoment: (work) => db.transaction().execute(work),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}

async function lookAtPostgres(databaseUrl: string): Promise<DatabaseLook> {
  const pool = openPool(databaseUrl, () => {});
  try {
    await pool.query('select version from gatehouse_vault_schema');
  } catch (err) {
    await pool.end();
    throw cannotBeUsed(err);
  }
  const db = kyselyOnPool(pool);
  const { host, pathname } = new URL(databaseUrl);
  return {
    place: `the database ${pathname.slice(1)} on ${host}`,
    atOneMoment: (work) =>
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(work),
    [Symbol.asyncDispose]: () => db.destroy(),
  };
}
