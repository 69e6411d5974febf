// A look at a database file from outside, while its service may be writing to it.
import { readMigrations } from './database-migrations.ts';
import type { Database } from './database.ts';

export type DatabaseInspection = {
  schema: number;
  /** What this program would bring it to. */
  newestSchema: number;
  /** The first thing quick_check found; null when all is well. */
  damage: string | null;
};

export function inspectDatabase(db: Database, migrationsDir: string): DatabaseInspection {
  const check = String(db.pragma('quick_check(1)', { simple: true }));
  return {
    schema: Number(db.pragma('user_version', { simple: true })),
    newestSchema: readMigrations(migrationsDir).length,
    damage: check === 'ok' ? null : check.split('\n')[0]!.slice(0, 200),
  };
}

/** What a copy of it takes on disk. */
export function databaseBytes(db: Database): number {
  const read = (pragma: string): number => Number(db.pragma(pragma, { simple: true }));
  return read('page_count') * read('page_size');
}
