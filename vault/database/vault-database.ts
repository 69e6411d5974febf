// The vault's database: SQLite in the data directory, or PostgreSQL. Written in one line, read beside it.
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import { openPostgres } from './postgres-database.ts';
import { openSqlite } from './sqlite-database.ts';
import type { Db } from './tables.ts';
import { createWriteLine } from './write-line.ts';
import type { WriteLine } from './write-line.ts';

export type VaultDatabase = {
  kind: 'sqlite' | 'postgres';
  /** For reading. */
  reads: Db;
  write: WriteLine['write'];
  /** What an error of the driver means to whoever asked. */
  explain: (err: unknown) => unknown;
  /** Throws when nothing can be read. */
  check: () => Promise<void>;
  /** Bytes that the database takes. */
  sizeBytes: () => Promise<number>;
  close: () => Promise<void>;
};

/** What differs between the two. */
export type DatabaseParts = {
  kind: VaultDatabase['kind'];
  reads: Db;
  writes: Db;
  /** Begins the one transaction that writes; throws DatabaseLockedError when another process is writing. */
  begin: (connection: Db) => Promise<void>;
  /** Resolves when what was committed is on disk. */
  sync: () => Promise<void>;
  /** Makes room on a full disk and says whether it did. */
  makeRoom: () => boolean;
  /** What an error of the driver means to whoever asked; the error itself when it is a bug. */
  explain: (err: unknown) => unknown;
  /** Whether the same work may go well alone, with room made. */
  isFull: (err: unknown) => boolean;
  sizeBytes: () => Promise<number>;
  close: () => Promise<void>;
};

export type OpenVaultDatabaseOptions = {
  /** `postgres://…`; null for SQLite. */
  databaseUrl: string | null;
  dataDir: string;
  /** What was committed may be read now; the agents whose feeds have grown. */
  onCommitted: (agentIds: ReadonlySet<string | null>) => void;
  clock: Clock;
  log: Log;
};

/** At the newest schema. Throws StartError for what the operator has to mend. */
export async function openVaultDatabase(options: OpenVaultDatabaseOptions): Promise<VaultDatabase> {
  const { databaseUrl, dataDir, clock, log } = options;
  const parts =
    databaseUrl === null ? openSqlite(dataDir, clock) : await openPostgres(databaseUrl, log);
  const line = createWriteLine({ ...parts, clock, onCommitted: options.onCommitted });
  return {
    kind: parts.kind,
    reads: parts.reads,
    write: line.write,
    explain: parts.explain,
    async check() {
      await parts.reads.selectFrom('counters').select('value').limit(1).execute();
    },
    sizeBytes: parts.sizeBytes,
    async close() {
      await line.idle();
      await parts.close();
    },
  };
}
