// One SQLite file per service, one writer process per file.
import {
  chmodSync,
  closeSync,
  existsSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';

import SqliteDatabase from 'better-sqlite3';
import type { Database } from 'better-sqlite3';

import { migrate, readMigrations } from './database-migrations.ts';
import { StartError } from './errors.ts';
import { syncDirectory } from './sync-directory.ts';

export type { Database } from 'better-sqlite3';

export type OpenDatabaseOptions = {
  path: string;
  migrationsDir: string;
  /** Tells our file from another program's; a positive 32-bit number. */
  applicationId: number;
  /** Makes SQLite's own of a migration that is written for another database as well. */
  adapt?: (sql: string) => string;
  /** Sees each statement before it runs. */
  trace?: (sql: string) => void;
};

/** Why a database file is not opened. It has not been changed. */
export class DatabaseRefusedError extends StartError {
  override readonly name = 'DatabaseRefusedError';
}

const openingBusyTimeoutMs = 5000;
const headerBytes = 100;
const headerMagic = 'SQLite format 3\0';

/**
 * Opens the file, made when it does not exist, at the newest schema. Afterwards a lock held by
 * another process fails at once instead of blocking the event loop: write with a DatabaseWriter.
 */
export function openDatabase(options: OpenDatabaseOptions): Database {
  const migrations = readMigrations(options.migrationsDir, options.adapt);
  const newest = migrations.length;
  if (existsSync(options.path)) {
    refuseForeignFile(options.path, options.applicationId, newest);
  } else {
    createFile(options);
  }
  const db = connect(options.path, false, options.trace);
  try {
    chmodSync(options.path, 0o600);
    db.pragma('journal_mode = WAL');
    db.pragma('journal_size_limit = 67108864');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('trusted_schema = OFF');
    migrate(db, migrations);
    db.pragma('busy_timeout = 0');
    return db;
  } catch (cause) {
    db.close();
    throw cause instanceof StartError ? cause : refusal(options.path, 'cannot be opened', cause);
  }
}

/** For tools that look at a file its service may be writing to. */
export function openReadOnlyDatabase(path: string, applicationId: number): Database {
  if (!existsSync(path)) {
    throw refusal(path, 'does not exist');
  }
  refuseForeignHeader(path, applicationId);
  return connect(path, true);
}

/** Carries the write-ahead log over into the database as far as nobody reads from it, beside its service. */
export function openCheckpointer(path: string): Disposable & { checkpoint: () => void } {
  const db = connect(path, false);
  // It is ready then, and quicker than the service's next commit.
  db.pragma('schema_version');
  return {
    checkpoint: () => void db.pragma('wal_checkpoint(PASSIVE)'),
    [Symbol.dispose]: () => void db.close(),
  };
}

/** Makes it one file, which can be copied, and read where nothing can be written. Nobody may have it open. */
export function makeStandalone(path: string): void {
  const db = connect(path, false);
  try {
    db.pragma('journal_mode = DELETE');
  } finally {
    db.close();
  }
}

/** A SQLite file used for its locks only. */
export function openLockFile(path: string): Database {
  const db = connect(path, false);
  chmodSync(path, 0o600);
  db.pragma('busy_timeout = 0');
  return db;
}

function connect(path: string, readonly: boolean, trace?: (sql: string) => void): Database {
  return new SqliteDatabase(path, {
    readonly,
    fileMustExist: readonly,
    timeout: openingBusyTimeoutMs,
    ...(trace === undefined ? {} : { verbose: (sql: unknown) => trace(String(sql)) }),
  });
}

// Under another name first: a crash half way must not leave an empty file of the real name,
// which could not be told from a database that has lost everything.
function createFile(options: OpenDatabaseOptions): void {
  const { path, applicationId } = options;
  for (const suffix of ['-wal', '-journal']) {
    if (existsSync(path + suffix)) {
      throw refusal(path, `is missing, but ${path}${suffix} is there: put the file back`);
    }
  }
  const draft = `${path}.new`;
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    rmSync(draft + suffix, { force: true });
  }
  closeSync(openSync(draft, 'wx', 0o600));
  const db = connect(draft, false, options.trace);
  try {
    db.pragma(`application_id = ${applicationId}`);
    db.pragma('journal_mode = WAL');
  } finally {
    db.close();
  }
  renameSync(draft, path);
  syncDirectory(dirname(path));
}

function refuseForeignFile(path: string, applicationId: number, newest: number): void {
  refuseForeignHeader(path, applicationId);
  const db = connect(path, true);
  try {
    const version = Number(db.pragma('user_version', { simple: true }));
    if (version > newest) {
      throw refusal(path, `has schema ${version}, this program knows ${newest}: it is too old`);
    }
    const check = String(db.pragma('quick_check(1)', { simple: true }));
    if (check !== 'ok') {
      throw refusal(path, `is damaged (${check})`);
    }
  } catch (cause) {
    throw cause instanceof StartError ? cause : refusal(path, 'cannot be read', cause);
  } finally {
    db.close();
  }
}

// Read without SQLite, which would take an empty file for a new database and may write to one
// that another program left with a journal.
function refuseForeignHeader(path: string, applicationId: number): void {
  const size = statSync(path).size;
  if (size === 0) {
    throw refusal(path, 'is empty: what was in it is lost; restore it, or remove it to start anew');
  }
  const header = readHeader(path);
  if (size < headerBytes || header.toString('latin1', 0, headerMagic.length) !== headerMagic) {
    throw refusal(path, 'is not a database');
  }
  const found = header.readUInt32BE(68);
  if (found !== applicationId) {
    throw refusal(path, `belongs to another application (its application id is ${found})`);
  }
}

function readHeader(path: string): Buffer {
  const header = Buffer.alloc(headerBytes);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, header, 0, headerBytes, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw refusal(path, 'cannot be read', cause);
  }
  return header;
}

function refusal(path: string, reason: string, cause?: unknown): DatabaseRefusedError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new DatabaseRefusedError(`database ${path} ${reason}${why}`, { cause });
}
