// npm run audit:verify, as an operator runs it.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { startNode } from '../support/child-script.ts';

let directory: ReturnType<typeof mkdtempDisposableSync>;
let db: Database;
let headHash: string;

beforeEach(() => {
  directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-'));
  db = openGatewayDatabase(join(directory.path, 'gateway.db'));
  const log = createAuditLog(db, systemClock);
  for (const runId of ['run_1', 'run_2', 'run_3']) {
    log.append({ action: 'run', app: 'a', address: null, runId, details: {} });
  }
  const verdict = log.verify();
  headHash = verdict.ok ? verdict.headHash : '';
});

afterEach(() => {
  db.close();
  directory.remove();
});

type Outcome = { code: number | null; text: string };

async function verify(dataDir: string, ...args: string[]): Promise<Outcome> {
  await using script = startNode(['cli/audit-verify.ts', ...args], { GATEWAY_DATA_DIR: dataDir });
  const { code, stdout, stderr } = await script.ended;
  return { code, text: stdout + stderr };
}

test('a whole log: its rows and its head, beside the open database', async () => {
  const { code, text } = await verify(directory.path);
  expect(text).toContain('3 rows, whole');
  expect(text).toContain(`head: row 3, ${headHash}`);
  expect(code).toBe(0);
});

test('after the database was closed it verifies as well', async () => {
  db.close();
  expect(await verify(directory.path)).toMatchObject({ code: 0 });
});

test('a broken log: the first broken row', async () => {
  db.exec("drop trigger audit_log_no_update; update audit_log set app = 'b' where seq = 2");
  const { code, text } = await verify(directory.path);
  expect(text).toContain('broken at row 2');
  expect(code).toBe(1);
});

test('an expected head is looked for', async () => {
  expect(await verify(directory.path, '--expect', headHash)).toMatchObject({ code: 0 });
  const foreign = '0'.repeat(64);
  expect(await verify(directory.path, '--expect', foreign)).toMatchObject({ code: 1 });
});

test.each([
  [['--expcet', 'x'], 'expcet'],
  [[], 'gateway.db does not exist'],
])('with %j where nothing can be read it says why', async (args, reason) => {
  const { code, text } = await verify(join(directory.path, 'elsewhere'), ...args);
  expect(text).toContain(reason);
  expect(code).toBe(2);
});
