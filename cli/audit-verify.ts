// npm run audit:verify [-- --expect <head hash>]: whether the audit log is whole. The gateway may be running.
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { createAuditLog } from '../gateway/audit/audit-log.ts';
import { openGatewayDatabaseReadOnly } from '../gateway/database/gateway-database.ts';
import { reportVerdict } from './audit-report.ts';

process.exitCode = await reportVerdict(async () => {
  const place = join(process.env['GATEWAY_DATA_DIR'] || 'data', 'gateway.db');
  const { values } = parseArgs({ options: { expect: { type: 'string' } } });
  const db = openGatewayDatabaseReadOnly(place);
  const verdict = createAuditLog(db, systemClock).verify(values.expect);
  db.close();
  return { place, verdict };
});
