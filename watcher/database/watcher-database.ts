import { openDatabase } from '#shared/database.ts';
import type { Database } from '#shared/database.ts';

/** "GTHW" in the header of watcher.db. */
export const watcherApplicationId = 0x47544857;

export const watcherMigrationsDir = import.meta.dirname;

export function openWatcherDatabase(path: string): Database {
  return openDatabase({
    path,
    migrationsDir: watcherMigrationsDir,
    applicationId: watcherApplicationId,
  });
}
