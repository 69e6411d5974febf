import { inspectDatabase } from '#shared/database-inspection.ts';
import type { DatabaseInspection } from '#shared/database-inspection.ts';

import { openGatewayDatabaseReadOnly } from './gateway-database.ts';

export type { DatabaseInspection } from '#shared/database-inspection.ts';

/** Throws DatabaseRefusedError for what is not our database at all. */
export function inspectGatewayDatabase(path: string): DatabaseInspection {
  const db = openGatewayDatabaseReadOnly(path);
  try {
    return inspectDatabase(db, import.meta.dirname);
  } finally {
    db.close();
  }
}
