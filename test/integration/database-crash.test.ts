// kill -9 before each statement that opening a database runs, until one opening is not killed.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { startScript } from '../support/child-script.ts';

const opener = `
  import { openGatewayDatabase } from './gateway/database/gateway-database.ts';
  let left = Number(process.env.STATEMENTS);
  openGatewayDatabase(process.env.DB, () => {
    left -= 1;
    if (left < 0) process.kill(process.pid, 'SIGKILL');
  });
`;

const schemaOf = (path: string): unknown => {
  const db = openGatewayDatabase(path);
  const schema = db.prepare('select type, name, sql from sqlite_schema order by name').all();
  const state = [db.pragma('user_version'), db.pragma('integrity_check'), schema];
  db.close();
  return state;
};

test('after kill -9 at any step of the first opening, the next one completes', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const whole = schemaOf(join(directory.path, 'whole.db'));
  let statements = 0;
  for (let signal: string | null = 'SIGKILL'; signal === 'SIGKILL'; statements += 1) {
    const path = join(directory.path, `${statements}.db`);
    await using script = startScript(opener, { DB: path, STATEMENTS: String(statements) });
    ({ signal } = await script.ended);
    expect(schemaOf(path)).toEqual(whole);
  }
  expect(statements).toBeGreaterThan(15);
}, 120_000);

test('an acknowledged row survives kill -9 in the middle of the writes, and the chain holds', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  const path = join(directory.path, 'gateway.db');
  let acknowledged = 0;
  for (let round = 1; round <= 50; round += 1) {
    await using script = startScript(
      `
      import { writeSync } from 'node:fs';
      import { createAuditLog } from './gateway/audit/audit-log.ts';
      import { openGatewayDatabase } from './gateway/database/gateway-database.ts';
      import { systemClock } from './shared/clock.ts';
      import { createDatabaseWriter } from './shared/database-writer.ts';
      const db = openGatewayDatabase(process.env.DB);
      const log = createAuditLog(db, systemClock);
      const writer = createDatabaseWriter(db, systemClock);
      for (let i = 0; ; i += 1) {
        await writer.write(() => log.append({
          action: 'run', app: 'a', address: null, prompt: 'x'.repeat(5000), runId: 'r' + i, details: {},
        }));
        writeSync(1, 'stored ' + process.env.ROUND + '-' + i + '.\\n');
      }
    `,
      { DB: path, ROUND: String(round) },
    );
    await script.said(`stored ${round}-${(7 * round) % 40}.`);
    script.child.kill('SIGKILL');
    const { stdout } = await script.ended;
    acknowledged += stdout.match(/\.(?=\n|$)/g)?.length ?? 0;
    const db = openGatewayDatabase(path);
    const verdict = createAuditLog(db, systemClock).verify();
    db.close();
    expect(verdict).toMatchObject({ ok: true });
    expect(verdict.rows).toBeGreaterThanOrEqual(acknowledged);
  }
}, 120_000);
