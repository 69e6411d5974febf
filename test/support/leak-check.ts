// What must be true whenever no run is under way: looked up in the database, on disk and in /proc, not asked of the gateway.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from 'vitest';

import { openGatewayDatabaseReadOnly } from '../../gateway/database/gateway-database.ts';
import { startTestGateway } from './test-gateway.ts';
import type { TestGateway, TestGatewayOptions } from './test-gateway.ts';

type RunLeft = { runId: string; state: string; survivors: number | null; auditRows: number };

const marker = 'GATEHOUSE_RUN=';

/** Waits for the open runs to end, then fails for everything that one of them left behind. */
export async function expectNothingLeft(
  dataDir: string,
  runsDir = join(dataDir, 'runs'),
): Promise<void> {
  await expect
    .poll(() => readRuns(dataDir).filter((run) => run.state !== 'ended'), { timeout: 10_000 })
    .toEqual([]);
  const runs = readRuns(dataDir);
  expect(runs.filter((run) => run.survivors !== 0 || run.auditRows !== 1)).toEqual([]);
  // The lock of the directory stays, as a hidden file.
  expect(readdirSync(runsDir).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(processesOfRuns(new Set(runs.map((run) => run.runId)))).toEqual([]);
}

/** A gateway of this process that fails its test when a run left anything behind. */
export async function startCheckedGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(options);
  return {
    ...gateway,
    [Symbol.asyncDispose]: async () => {
      try {
        await expectNothingLeft(gateway.dataDir, gateway.runsDir);
      } finally {
        await gateway.close();
      }
    },
  };
}

export function readRuns(dataDir: string): RunLeft[] {
  const db = openGatewayDatabaseReadOnly(join(dataDir, 'gateway.db'));
  try {
    return db
      .prepare<[], RunLeft>(
        `select run_id as runId, state, survivors,
           (select count(*) from audit_log where audit_log.run_id = runs.run_id) as auditRows
         from runs order by run_seq`,
      )
      .all();
  } finally {
    db.close();
  }
}

/** Live processes that carry the id of one of these runs. */
export function processesOfRuns(runIds: ReadonlySet<string>): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => runIds.has(runOf(pid) ?? '') && isAlive(pid));
}

export function runOf(pid: number): string | undefined {
  const entry = read(`/proc/${pid}/environ`)
    .split('\0')
    .find((each) => each.startsWith(marker));
  return entry?.slice(marker.length);
}

/** Not a zombie either. */
export function isAlive(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(read(`/proc/${pid}/status`));
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
