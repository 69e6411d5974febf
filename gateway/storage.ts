// Everything the gateway keeps: its data directory, locked, and the database with its stores.
import { join } from 'node:path';

import { createDatabaseWriter } from '#shared/database-writer.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Database } from '#shared/database.ts';
import { createDiskReserve } from '#shared/disk-reserve.ts';
import type { DiskReserve } from '#shared/disk-reserve.ts';
import { acquireInstanceLock } from '#shared/instance-lock.ts';
import { openDirectory } from '#shared/open-directory.ts';

import { createAppStore } from './access/app-store.ts';
import type { AppStore } from './access/app-store.ts';
import { createAuditLog } from './audit/audit-log.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { GatewayConfig } from './config.ts';
import { openGatewayDatabase } from './database/gateway-database.ts';
import { createWalWatch } from './database/wal-watch.ts';
import type { WalWatch } from './database/wal-watch.ts';
import { createRunEventStore } from './events/run-event-store.ts';
import type { RunEventStore } from './events/run-event-store.ts';
import { openFileShelf } from './files/file-shelf.ts';
import type { FileShelf } from './files/file-shelf.ts';
import { createFileStore } from './files/file-store.ts';
import { createIdempotencyKeys } from './idempotency/idempotency-keys.ts';
import type { IdempotencyKeys } from './idempotency/idempotency-keys.ts';
import { createIdempotencyStore } from './idempotency/idempotency-store.ts';
import { createLimitStore } from './limits/limit-store.ts';
import type { LimitStore } from './limits/limit-store.ts';
import { createRunStore } from './runs/run-store.ts';
import type { RunStore } from './runs/run-store.ts';
import { createSessionStore } from './sessions/session-store.ts';
import type { SessionStore } from './sessions/session-store.ts';
import type { Surroundings } from './surroundings.ts';

export type Storage = {
  db: Database;
  writer: DatabaseWriter;
  reserve: DiskReserve;
  walWatch: WalWatch;
  audit: AuditLog;
  apps: AppStore;
  runs: RunStore;
  sessions: SessionStore;
  /** Where they lie. */
  sessionsDir: string;
  events: RunEventStore;
  keys: IdempotencyKeys;
  limits: LimitStore;
  shelf: FileShelf;
};

/** Throws StartError when the directories cannot be used or another gateway uses them. */
export async function openStorage(
  config: GatewayConfig,
  { clock, log }: Surroundings,
  opened: AsyncDisposableStack,
): Promise<Storage> {
  await openDirectory(config.dataDir, 'GATEWAY_DATA_DIR');
  opened.adopt(acquireInstanceLock(join(config.dataDir, 'gateway.lock')), (lock) => lock.release());
  await openDirectory(config.runsDir, 'RUNS_DIR');
  const sessionsDir = join(config.dataDir, 'sessions');
  await openDirectory(sessionsDir, 'GATEWAY_DATA_DIR');
  // Two gateways that share it would clear away each other's runs.
  opened.adopt(acquireInstanceLock(join(config.runsDir, '.lock')), (lock) => lock.release());

  const db = openGatewayDatabase(join(config.dataDir, 'gateway.db'));
  opened.defer(() => void db.close());
  const reserve = createDiskReserve({ path: join(config.dataDir, 'reserve'), clock });
  const writer = createDatabaseWriter(db, clock, { onFull: () => reserve.drop() });
  opened.defer(() => writer.close());
  const audit = createAuditLog(db, clock);
  // What is not to be kept is overwritten where it stood.
  const forgets = config.audit.prompts !== 'full';
  if (forgets) db.pragma('secure_delete = ON');
  const shelf = await openFileShelf({
    dir: join(config.dataDir, 'files'),
    store: createFileStore(db),
    ...{ writer, limits: config.limits, clock, log },
  });
  return {
    ...{ db, writer, reserve, audit, shelf },
    walWatch: createWalWatch({ db, forgets, clock, log }),
    apps: createAppStore(db),
    runs: createRunStore(db),
    sessions: createSessionStore(db),
    sessionsDir,
    events: createRunEventStore(db),
    limits: createLimitStore(db),
    keys: createIdempotencyKeys(createIdempotencyStore(db), clock),
  };
}
