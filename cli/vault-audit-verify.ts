// npm run vault:audit:verify [-- --expect <head hash>]: whether the vault's audit log is whole. The vault may be running.
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { createAuditLog } from '../vault/audit/audit-log.ts';
import { lookAtDatabase } from '../vault/database/database-look.ts';
import { realm } from '../vault/realm.ts';
import { reportVerdict } from './audit-report.ts';
import { readVaultSettings } from './vault-backup/vault-settings.ts';

process.exitCode = await reportVerdict(async () => {
  const { values } = parseArgs({ options: { expect: { type: 'string' } } });
  await using look = await lookAtDatabase(readVaultSettings(process.env, process.cwd()));
  const audit = createAuditLog(realm, systemClock);
  // A row that is written while the chain is read would look like one that is missing.
  const verdict = await look.atOneMoment((db) => audit.verify(db, values.expect));
  return { place: look.place, verdict };
});
