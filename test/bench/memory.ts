// How large the gateway grows, and how long it keeps others waiting, while eight runs print 50 MB each.
import { readFile } from 'node:fs/promises';

import { startBenchGateway } from './bench-gateway.ts';
import { pingUntil } from './pings.ts';
import { median } from './statistics.ts';
import type { Row } from './table.ts';

const runs = 8;
const printedMb = 50;
const rssMbMax = 250;

export async function measureMemory(): Promise<Row[]> {
  await using gateway = await startBenchGateway({
    GATEWAY_CONCURRENCY: String(runs),
    RUN_OUTPUT_LIMIT_MB: '256',
  });
  const { pid } = gateway.process.child;
  const before = await residentMb(pid);
  const stop = new AbortController();
  const pings = pingUntil(stop.signal, gateway.process.url);
  const prompt = `@@print ${printedMb}`;
  await Promise.all(Array.from({ length: runs }, () => gateway.run({ prompt })));
  stop.abort();
  const latencies = await pings;
  const after = await residentMb(pid);
  const read = await readWhole(gateway);
  const row: Row = {
    name: `peak memory, ${runs} runs print ${printedMb} MB each`,
    measured: `${after.peak.toFixed(0)} MB`,
    target: `< ${rssMbMax} MB`,
    isMet: after.peak < rssMbMax,
    ours: `${after.peak.toFixed(0)} MB`,
    baseline: `${before.now.toFixed(0)} MB idle`,
    samples: runs,
    phases: [
      `${read.toFixed(0)} MB read; GET /livez meanwhile: median ${median(latencies).toFixed(1)} ms, longest ${Math.max(...latencies).toFixed(1)} ms, n=${latencies.length}`,
    ],
  };
  return [row];
}

async function readWhole(gateway: Awaited<ReturnType<typeof startBenchGateway>>): Promise<number> {
  const rows = await gateway.process.audit('?action=run');
  const bytes = rows.map((row) => Number(row.details.stdout_bytes));
  if (bytes.length !== runs || Math.min(...bytes) < printedMb * 1e6) {
    throw new Error(`not all was read: ${bytes.join(', ')}`);
  }
  return bytes.reduce((sum, each) => sum + each, 0) / 1e6;
}

async function residentMb(pid: number | undefined): Promise<{ now: number; peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
  return { now: field('VmRSS'), peak: field('VmHWM') };
}
