// How long a backup of 200 MB keeps a gateway with 100 writes a second from answering.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';

import { request } from 'undici';

import { systemClock } from '#shared/clock.ts';

import { createAuditLog } from '../../gateway/audit/audit-log.ts';
import { openGatewayDatabase } from '../../gateway/database/gateway-database.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { projectDir, testAdminToken } from '../support/test-gateway.ts';
import { pingUntil } from './pings.ts';
import { median } from './statistics.ts';
import type { Row } from './table.ts';

const databaseMb = 200;
const writesPerSec = 100;
const gapMsMax = 50;
const pingsApartMs = 5;

export async function measureBackup(): Promise<Row[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  fill(dataDir);
  await using gateway = await startGatewayProcess({ dataDir });
  // What the first requests of a process take is not measured.
  await measureDuring(gateway, () => sleepFor(2000));
  const backup = prepareBackup(dataDir);
  const busy = await measureDuring(gateway, backup);
  // As long: the longest of more waits is longer.
  const idle = await measureDuring(gateway, () => sleepFor(busy.tookMs));
  const row: Row = {
    name: `longest wait during a backup, ${writesPerSec} writes/s`,
    measured: `${busy.longestMs.toFixed(0)} ms`,
    target: `< ${gapMsMax} ms`,
    isMet: busy.longestMs < gapMsMax,
    ours: `${busy.longestMs.toFixed(1)} ms`,
    baseline: `${idle.longestMs.toFixed(1)} ms without`,
    samples: busy.samples,
    phases: [
      `${databaseMb} MB in ${(busy.tookMs / 1000).toFixed(1)} s; GET /livez meanwhile: median ${busy.medianMs.toFixed(1)} ms; ${busy.writes} writes, ${Math.round((busy.writes * 1000) / busy.tookMs)} a second`,
    ],
  };
  return [row];
}

/** Started beforehand, for starting a process keeps this one from pinging. */
function prepareBackup(dataDir: string): () => Promise<void> {
  const child = spawn('sh', ['-c', 'read go; exec "$0" cli/backup.ts', process.execPath], {
    cwd: projectDir,
    env: { GATEWAY_DATA_DIR: dataDir },
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  return async () => {
    child.stdin.end('go\n');
    const [code]: unknown[] = await once(child, 'exit');
    if (code !== 0) throw new Error('there is no backup');
  };
}

function fill(dataDir: string): void {
  const db = openGatewayDatabase(join(dataDir, 'gateway.db'));
  const log = createAuditLog(db, systemClock);
  const prompt = 'x'.repeat(20_000);
  const entry = { action: 'run', app: 'bench', address: null, prompt, details: {} } as const;
  const rowsAtOnce = 500;
  const append = db.transaction(() => {
    for (let row = 0; row < rowsAtOnce; row += 1) log.append(entry);
  });
  for (let mb = 0; mb < databaseMb; mb += (rowsAtOnce * prompt.length) / 1e6) append();
  db.close();
}

type Waits = {
  longestMs: number;
  medianMs: number;
  samples: number;
  writes: number;
  tookMs: number;
};

async function measureDuring(
  gateway: GatewayProcess,
  work: () => Promise<unknown>,
): Promise<Waits> {
  const stop = new AbortController();
  const pings = pingUntil(stop.signal, gateway.url, pingsApartMs);
  const writing = writeUntil(stop.signal, gateway.url);
  const startedAt = performance.now();
  await work();
  const tookMs = performance.now() - startedAt;
  stop.abort();
  const latencies = await pings;
  return {
    longestMs: Math.max(...latencies),
    medianMs: median(latencies),
    samples: latencies.length,
    writes: await writing,
    tookMs,
  };
}

/** Each token that is made is one commit, with its audit row. */
async function writeUntil(stopped: AbortSignal, url: string): Promise<number> {
  const writes: Promise<void>[] = [];
  const startedAt = performance.now();
  while (!stopped.aborted) {
    const due = ((performance.now() - startedAt) * writesPerSec) / 1000;
    while (writes.length < due) writes.push(makeToken(url));
    await sleepFor(5);
  }
  await Promise.all(writes);
  return writes.length;
}

async function makeToken(url: string): Promise<void> {
  const { statusCode, body } = await request(`${url}/admin/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testAdminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: `bench-${crypto.randomUUID()}` }),
  });
  await body.dump();
  if (statusCode !== 201) throw new Error(`no token: ${statusCode}`);
}
