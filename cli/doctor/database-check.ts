// A database file of ours: whole, of a schema we know, with an audit log nobody has changed.
import type { ChainVerdict } from '#shared/audit-chain.ts';
import { inspectDatabase } from '#shared/database-inspection.ts';
import type { DatabaseInspection } from '#shared/database-inspection.ts';
import type { Database } from '#shared/database.ts';

import { fail, messageOf, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

/** Whose it is, and what the operator does when it is lost. */
export type KeptDatabase = { name: string; service: string; lossMend: string };

const ofGateway: KeptDatabase = {
  name: 'database',
  service: 'gateway',
  lossMend:
    'stop the gateway, move gateway.db away, and restore a backup: npm run restore (docs/backup.md)',
};

export function judgeDatabase(
  path: string,
  { schema, newestSchema, damage }: DatabaseInspection,
  kept = ofGateway,
): Finding {
  const { name, lossMend } = kept;
  if (damage !== null) return fail(name, `${path} is damaged: ${damage}`, lossMend);
  const other = judgeOtherSchema(path, { schema, newestSchema }, kept);
  return other ?? pass(name, `${path} is whole, schema ${schema}`);
}

/** Null for the one that this program knows. */
export function judgeOtherSchema(
  path: string,
  { schema, newestSchema }: Pick<DatabaseInspection, 'schema' | 'newestSchema'>,
  { name, service }: KeptDatabase,
): Finding | null {
  if (schema > newestSchema) {
    return fail(
      name,
      `${path} has schema ${schema}, this program knows ${newestSchema}`,
      'update Gatehouse (git pull && npm ci): a newer one has used this database',
    );
  }
  if (schema < newestSchema) {
    return warn(
      name,
      `${path} has schema ${schema} of ${newestSchema}: what is in it was not looked at`,
      `start the ${service}: it brings the schema up to date`,
    );
  }
  return null;
}

export function judgeUnreadableDatabase(message: string, { name, lossMend } = ofGateway): Finding {
  return fail(name, message, lossMend);
}

/** `open` opens it for reading and refuses what is none of ours. */
export function judgeDatabaseFile(
  path: string,
  kept: KeptDatabase,
  open: () => Database,
  migrationsDir: string,
): Finding {
  try {
    const db = open();
    try {
      return judgeDatabase(path, inspectDatabase(db, migrationsDir), kept);
    } finally {
      db.close();
    }
  } catch (err) {
    return judgeUnreadableDatabase(messageOf(err), kept);
  }
}

export function judgeAuditLog(verdict: ChainVerdict, isPartial: boolean): Finding {
  const name = 'audit log';
  if (!verdict.ok) {
    return fail(
      name,
      `broken at row ${verdict.brokenAtSeq}: ${verdict.reason}`,
      'somebody changed it or a disk did: compare with a backup, keep a copy of both; npm run audit:verify',
    );
  }
  const rows = isPartial
    ? `the newest ${verdict.rows} rows are whole, older ones were not looked at: npm run audit:verify does`
    : `${verdict.rows} rows, whole`;
  return pass(name, rows);
}
