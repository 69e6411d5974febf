// gateway.db: ours, whole, of a schema we know, with an audit log nobody has changed.
import type { ChainVerdict } from '#shared/audit-chain.ts';

import type { DatabaseInspection } from '../../gateway/database/database-inspection.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

const restoreMend =
  'stop the gateway, move gateway.db away, and restore a backup: npm run restore (docs/backup.md)';

export function judgeDatabase(
  path: string,
  { schema, newestSchema, damage }: DatabaseInspection,
): Finding {
  const name = 'database';
  if (damage !== null) return fail(name, `${path} is damaged: ${damage}`, restoreMend);
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
      `${path} is whole, schema ${schema} of ${newestSchema}: what is in it was not looked at`,
      'start the gateway: it brings the schema up to date',
    );
  }
  return pass(name, `${path} is whole, schema ${schema}`);
}

export function judgeUnreadableDatabase(message: string): Finding {
  return fail('database', message, restoreMend);
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
