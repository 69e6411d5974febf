// How much the gateway grows with every thousand runs once it is warm.
import { join } from 'node:path';

import { residentMbOf } from '../support/process-facts.ts';
import { runCrowd } from '../support/run-crowd.ts';
import { startBenchGateway } from './bench-gateway.ts';
import { growthPerStep } from './statistics.ts';
import type { Row } from './table.ts';

const together = 8;
const runsPerStep = 100;
/** Around the 500th run their code has been compiled for speed, which takes a dozen megabytes once. */
const warmUpSteps = 6;
const steps = 6;
const growthMbMax = 5;

export async function measureSoak(): Promise<Row[]> {
  await using gateway = await startBenchGateway({
    CLAUDE_BIN: join(import.meta.dirname, 'instant-claude.sh'),
    ...{ SANDBOX: 'none', GATEWAY_CONCURRENCY: String(together), RUN_MEMORY_MB: '0' },
    // With room to spare, V8 lets garbage lie for thousands of runs: in a small heap what grows is what is held on to.
    NODE_OPTIONS: '--max-old-space-size=64 --max-semi-space-size=4',
  });
  const samples: number[] = [];
  for (let step = 0; step < warmUpSteps + steps; step += 1) {
    await runCrowd(gateway.process.url, gateway.token, { runs: runsPerStep, together });
    samples.push(residentMbOf(gateway.process.child.pid ?? 0));
  }
  const warm = samples.slice(warmUpSteps - 1);
  const growthMb = (growthPerStep(warm) * 1000) / runsPerStep;
  const row: Row = {
    name: 'memory that 1,000 runs add to a small heap',
    measured: `${growthMb.toFixed(1)} MB`,
    target: `< ${growthMbMax} MB`,
    isMet: growthMb < growthMbMax,
    ours: `${warm.at(-1)?.toFixed(0)} MB`,
    baseline: `${warm[0]?.toFixed(0)} MB when warm`,
    samples: steps * runsPerStep,
    phases: [`MB after each ${runsPerStep} runs: ${samples.map((mb) => mb.toFixed(0)).join(' ')}`],
  };
  return [row];
}
