// A copy of gateway.db that nobody else has open: whether it is whole, and what is in it.
import { systemClock } from '#shared/clock.ts';
import type { DatabaseInspection } from '#shared/database-inspection.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { namedUploads, takeCensus } from '../../gateway/database/database-census.ts';
import type { DatabaseCensus, NamedUpload } from '../../gateway/database/database-census.ts';
import { inspectGatewayDatabase } from '../../gateway/database/database-inspection.ts';
import { openGatewayDatabaseReadOnly } from '../../gateway/database/gateway-database.ts';
import { BackupError } from './backup-error.ts';

export type DatabaseFacts = DatabaseCensus & {
  auditHead: { seq: number; hash: string };
  uploads: NamedUpload[];
};

/** Throws BackupError for one that should not be relied on. */
export function readDatabaseFacts(path: string): DatabaseFacts {
  requireSound(inspectGatewayDatabase(path));
  const db = openGatewayDatabaseReadOnly(path);
  try {
    const verdict = createAuditLog(db, systemClock).verify();
    if (!verdict.ok) {
      const where = `broken at row ${verdict.brokenAtSeq}: ${verdict.reason}`;
      throw new BackupError(`the audit log in the database is ${where}`);
    }
    const auditHead = { seq: verdict.headSeq, hash: verdict.headHash };
    return { ...takeCensus(db), auditHead, uploads: namedUploads(db) };
  } finally {
    db.close();
  }
}

export function requireSound({ damage, schema, newestSchema }: DatabaseInspection): void {
  if (damage !== null) throw new BackupError(`the database is damaged: ${damage}`);
  if (schema <= newestSchema) return;
  throw new BackupError(
    `the database has schema ${schema}, this program knows ${newestSchema}: it is too old for it`,
  );
}
