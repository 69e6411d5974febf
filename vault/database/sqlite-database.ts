import { statSync } from 'node:fs';
import { join } from 'node:path';

import { CamelCasePlugin, Kysely, sql, SqliteDialect } from 'kysely';

import type { Clock } from '#shared/clock.ts';
import { openDatabase, openReadOnlyDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';
import { createDiskReserve } from '#shared/disk-reserve.ts';
import { createWalSync } from '#shared/wal-sync.ts';

import { databaseUnavailable, vaultError } from '../vault-errors.ts';
import { toSqlite } from './migration-sql.ts';
import { createStatementCache } from './statement-cache.ts';
import type { Db, Tables } from './tables.ts';
import type { DatabaseParts } from './vault-database.ts';
import { DatabaseLockedError } from './write-line.ts';

/** "GTHV" in the header of vault.db. */
export const vaultApplicationId = 0x47544856;
export const vaultDatabaseFile = 'vault.db';

export const migrationsDir = join(import.meta.dirname, 'migrations');

/** `trace` sees each statement before it runs. */
export function openVaultFile(path: string, trace?: (sql: string) => void): Database {
  return openDatabase({
    path,
    ...(trace === undefined ? {} : { trace }),
    migrationsDir,
    applicationId: vaultApplicationId,
    adapt: toSqlite,
  });
}

/** For whoever looks while the vault may be running, and for its readers. */
export function openVaultFileReadOnly(path: string): Database {
  return openReadOnlyDatabase(path, vaultApplicationId);
}

export function kyselyOn(database: Database): Db {
  return new Kysely<Tables>({
    dialect: new SqliteDialect({ database: createStatementCache(database) }),
    plugins: [new CamelCasePlugin()],
  });
}

export function openSqlite(dataDir: string, clock: Clock): DatabaseParts {
  const path = join(dataDir, vaultDatabaseFile);
  const writer = openVaultFile(path);
  const wal = createWalSync(writer);
  // A second connection, so that a reader never waits for whoever writes.
  const reader = openVaultFileReadOnly(path);
  const reserve = createDiskReserve({ path: join(dataDir, 'vault-reserve'), clock });
  reserve.restore();
  const [writes, reads] = [kyselyOn(writer), kyselyOn(reader)];
  return {
    kind: 'sqlite',
    reads,
    writes,
    async begin(connection) {
      try {
        await sql`begin immediate`.execute(connection);
      } catch (err) {
        throw hasCode(err, 'SQLITE_BUSY') ? new DatabaseLockedError(err) : err;
      }
    },
    async sync() {
      await wal.sync().catch(endWithLostDisk);
      // What could be written may have found room again.
      reserve.restore();
    },
    makeRoom: () => reserve.drop(),
    explain: explainSqlite,
    isFull,
    sizeBytes: async () => statSync(path).size,
    async close() {
      wal.close();
      await reads.destroy();
      await writes.destroy();
      // Kysely closes nothing that was not used; the last one leaves no write-ahead log behind.
      reader.close();
      writer.close();
    },
  };
}

/** What is on the disk is unknown, and what is in memory may not be told as true: the process ends, and looks again when it starts. */
function endWithLostDisk(err: unknown): never {
  setImmediate(() => {
    throw err;
  });
  throw databaseUnavailable(err);
}

function explainSqlite(err: unknown): unknown {
  if (isFull(err)) {
    return vaultError('disk_full', 'the disk is full: nothing could be stored', { cause: err });
  }
  const isAway = err instanceof DatabaseLockedError || hasCode(err, 'SQLITE_BUSY');
  return isAway || hasCode(err, 'SQLITE_IOERR') ? databaseUnavailable(err) : err;
}

function isFull(err: unknown): boolean {
  return hasCode(err, 'SQLITE_FULL') || hasCode(err, 'SQLITE_IOERR_SHMSIZE');
}

function hasCode(err: unknown, code: string): boolean {
  return (
    err instanceof Error &&
    'code' in err &&
    typeof err.code === 'string' &&
    err.code.startsWith(code)
  );
}
