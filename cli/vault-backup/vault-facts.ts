// A copy of vault.db that nobody else has open: whether it is whole, and what is in it.
import { systemClock } from '#shared/clock.ts';
import { inspectDatabase } from '#shared/database-inspection.ts';

import { createAuditLog } from '../../vault/audit/audit-log.ts';
import { lookAtFile } from '../../vault/database/database-look.ts';
import { migrationsDir, openVaultFileReadOnly } from '../../vault/database/sqlite-database.ts';
import { namedAttachments, takeVaultCensus } from '../../vault/database/vault-census.ts';
import type { NamedAttachment } from '../../vault/database/vault-census.ts';
import { realm } from '../../vault/realm.ts';
import { BackupError } from '../backup/backup-error.ts';
import { requireSound } from '../backup/database-facts.ts';
import type { VaultContents } from './vault-manifest.ts';

export type VaultFacts = { contents: VaultContents; attachments: NamedAttachment[] };

/** Throws BackupError for one that should not be relied on. */
export async function readVaultFacts(path: string): Promise<VaultFacts> {
  const schema = soundSchema(path);
  await using look = lookAtFile(path);
  return await look.atOneMoment(async (db) => {
    const verdict = await createAuditLog(realm, systemClock).verify(db);
    if (!verdict.ok) {
      const where = `broken at row ${verdict.brokenAtSeq}: ${verdict.reason}`;
      throw new BackupError(`the audit log in the database is ${where}`);
    }
    const { users, agents, events, eventHead, auditRows } = await takeVaultCensus(db);
    const contents = {
      ...{ schema, users, agents, events, event_head: eventHead, audit_rows: auditRows },
      ...{ audit_head_seq: verdict.headSeq, audit_head_hash: verdict.headHash },
    };
    return { contents, attachments: await namedAttachments(db) };
  });
}

function soundSchema(path: string): number {
  const db = openVaultFileReadOnly(path);
  try {
    const inspection = inspectDatabase(db, migrationsDir);
    requireSound(inspection);
    return inspection.schema;
  } finally {
    db.close();
  }
}

export function summaryOf({ users, agents, events, audit_rows: rows }: VaultContents): string {
  return `users: ${users}, agents: ${agents}, events: ${events}, audit rows: ${rows}`;
}
