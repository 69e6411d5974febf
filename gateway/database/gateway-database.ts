import { openDatabase, openReadOnlyDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';

/** "GTHS" in the header of gateway.db. */
const applicationId = 0x47544853;

export function openGatewayDatabase(path: string, trace?: (sql: string) => void): Database {
  return openDatabase({
    path,
    migrationsDir: import.meta.dirname,
    applicationId,
    ...(trace === undefined ? {} : { trace }),
  });
}

/** For tools that look while the gateway may be running. */
export function openGatewayDatabaseReadOnly(path: string): Database {
  return openReadOnlyDatabase(path, applicationId);
}
