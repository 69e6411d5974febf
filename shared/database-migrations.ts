// Numbered SQL files, 0001-name.sql and up; user_version is the number of the last one applied.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Database } from 'better-sqlite3';

export type Migration = { version: number; name: string; sql: string };

export function readMigrations(
  directory: string,
  adapt: (sql: string) => string = (sql) => sql,
): Migration[] {
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .toSorted();
  return names.map((name, index) => {
    const version = Number(name.slice(0, 4));
    if (version !== index + 1) {
      throw new Error(`${join(directory, name)}: expected a name starting with ${index + 1}`);
    }
    return { version, name, sql: adapt(readFileSync(join(directory, name), 'utf8')) };
  });
}

/** Applies what is missing, each file wholly or not at all. */
export function migrate(db: Database, migrations: readonly Migration[]): void {
  const current = Number(db.pragma('user_version', { simple: true }));
  for (const migration of migrations.filter(({ version }) => version > current)) {
    db.transaction(() => {
      db.exec(migration.sql);
      const orphans = db.pragma('foreign_key_check');
      if (Array.isArray(orphans) && orphans.length > 0) {
        throw new Error(`${migration.name} leaves ${orphans.length} rows without their parent`);
      }
      db.pragma(`user_version = ${migration.version}`);
    }).immediate();
  }
}
