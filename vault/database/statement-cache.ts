// Statements of SQLite that are prepared once: Kysely would do so at every use, which costs more than most of them.
import type { SqliteDatabase, SqliteStatement } from 'kysely';

import type { Database } from '#shared/database.ts';
import { createRecentMap } from '#shared/recent-map.ts';

const statementsMax = 200;

export function createStatementCache(database: Database): SqliteDatabase {
  const statements = createRecentMap<SqliteStatement>(statementsMax);
  return {
    prepare(text) {
      const known = statements.get(text);
      if (known !== undefined) return known;
      const statement = database.prepare(text);
      // Kysely reads nothing row by row: no statement is still in use when it is asked for again.
      statements.set(text, statement);
      return statement;
    },
    close: () => void database.close(),
  };
}
