// What the gateway adds to a CLI that answers at once, against starting that CLI directly.
import { join } from 'node:path';

import { benchModel, benchPrompt, runBareClaude } from './bare-claude.ts';
import { startBenchGateway } from './bench-gateway.ts';
import type { BenchGateway } from './bench-gateway.ts';
import { interleave } from './interleave.ts';
import { describeMs, median } from './statistics.ts';
import type { Row } from './table.ts';

const instantClaude = join(import.meta.dirname, 'instant-claude.sh');
const body = { prompt: benchPrompt, model: benchModel };
const addedMsMax = 10;
const runsPerConcurrency = 200;

export async function measureAddedTime(): Promise<Row[]> {
  const env = { CLAUDE_BIN: instantClaude, GATEWAY_CONCURRENCY: '8' };
  await using open = await startBenchGateway({ ...env, SANDBOX: 'none' });
  await using boxed = await startBenchGateway({ ...env, SANDBOX: 'require' });
  return [...(await measureAt(1, { open, boxed })), ...(await measureAt(8, { open, boxed }))];
}

async function measureAt(
  concurrency: number,
  { open, boxed }: { open: BenchGateway; boxed: BenchGateway },
): Promise<Row[]> {
  const together = (run: () => Promise<number>) => () =>
    Promise.all(Array.from({ length: concurrency }, run));
  const samples = await interleave(
    {
      direct: together(() => runBareClaude(instantClaude, null)),
      open: together(() => open.run(body)),
      boxed: together(() => boxed.run(body)),
    },
    { rounds: Math.ceil(runsPerConcurrency / concurrency), warmUp: 5 },
  );
  const row = async (name: string, ours: number[], gateway: BenchGateway): Promise<Row> => {
    const addedMs = median(ours) - median(samples.direct);
    return {
      name: `added to an instant CLI, ${name}, c=${concurrency}`,
      measured: `+${addedMs.toFixed(1)} ms`,
      target: `≤ ${addedMsMax} ms`,
      isMet: addedMs <= addedMsMax,
      ours: describeMs(ours),
      baseline: describeMs(samples.direct),
      samples: ours.length,
      phases: await gateway.phases(ours),
    };
  };
  return [await row('no sandbox', samples.open, open), await row('sandbox', samples.boxed, boxed)];
}
