// npm run audit:verify [-- --expect <head hash>]: 0 the audit log is whole, 1 it is not, 2 it
// cannot be read. The gateway may be running.
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { createAuditLog } from '../gateway/audit/audit-log.ts';
import { openGatewayDatabaseReadOnly } from '../gateway/database/gateway-database.ts';

process.exitCode = verify();

function verify(): 0 | 1 | 2 {
  const path = join(process.env['GATEWAY_DATA_DIR'] || 'data', 'gateway.db');
  try {
    const { values } = parseArgs({ options: { expect: { type: 'string' } } });
    const db = openGatewayDatabaseReadOnly(path);
    const verdict = createAuditLog(db, systemClock).verify(values.expect);
    db.close();
    if (!verdict.ok) {
      print(`${path}: broken at row ${verdict.brokenAtSeq}: ${verdict.reason}`);
      print(`${verdict.rows} rows before it are whole`);
      return 1;
    }
    print(`${path}: ${verdict.rows} rows, whole`);
    print(`head: row ${verdict.headSeq}, ${verdict.headHash}`);
    return 0;
  } catch (err) {
    process.stderr.write(`${err instanceof Error ? err.message : String(err)}\n`);
    return 2;
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
