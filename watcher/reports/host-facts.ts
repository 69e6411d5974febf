// What there is to know of this machine.
import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, totalmem, uptime } from 'node:os';

export async function hostFacts(dataDir: string): Promise<Record<string, unknown>> {
  const { bavail, blocks, bsize } = await statfs(dataDir);
  const [load = 0] = loadavg();
  return {
    cpus: availableParallelism(),
    load_1m: Math.round(load * 100) / 100,
    memory_free_mb: megabytes(freemem()),
    memory_total_mb: megabytes(totalmem()),
    disk_free_mb: megabytes(bavail * bsize),
    disk_total_mb: megabytes(blocks * bsize),
    uptime_secs: Math.round(uptime()),
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
