// A look at gateway.db from outside, while a gateway may be writing to it.
import { readMigrations } from '#shared/database-migrations.ts';

import { openGatewayDatabaseReadOnly } from './gateway-database.ts';

export type DatabaseInspection = {
  schema: number;
  /** What this program would bring it to. */
  newestSchema: number;
  /** The first thing quick_check found; null when all is well. */
  damage: string | null;
};

/** Throws DatabaseRefusedError for what is not our database at all. */
export function inspectGatewayDatabase(path: string): DatabaseInspection {
  const db = openGatewayDatabaseReadOnly(path);
  try {
    const schema = Number(db.pragma('user_version', { simple: true }));
    const check = String(db.pragma('quick_check(1)', { simple: true }));
    return {
      schema,
      newestSchema: readMigrations(import.meta.dirname).length,
      damage: check === 'ok' ? null : check.split('\n')[0]!.slice(0, 200),
    };
  } finally {
    db.close();
  }
}
