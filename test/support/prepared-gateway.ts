// A gateway that starts processes ahead, and fails its test when one of them is left after it has stopped.
import { readdirSync, rmSync } from 'node:fs';

import { expect } from 'vitest';

import { expectNothingLeft, processesOfRuns } from './leak-check.ts';
import { readMetrics } from './metric-samples.ts';
import { startTestGateway } from './test-gateway.ts';
import type { TestGateway, TestGatewayOptions } from './test-gateway.ts';

export type PreparedGateway = TestGateway & {
  /** Waits until so many processes are prepared; gives the names of their directories. */
  untilPrepared: (count: number) => Promise<string[]>;
  /** Hits, and misses by reason. */
  taken: () => Promise<Record<string, number>>;
};

/** One process is prepared unless `env` says otherwise. */
export async function startPreparedGateway(
  options: TestGatewayOptions = {},
): Promise<PreparedGateway> {
  const env = { PREPARED_RUNS: '1', ...options.env };
  const gateway = await startTestGateway({ ...options, env, keep: true });
  const seen = new Set<string>();
  const names = (): string[] =>
    readdirSync(gateway.runsDir).filter((name) => name.startsWith('prepared_'));
  return {
    ...gateway,
    untilPrepared: (count) => untilPrepared(gateway, count, names, seen),
    async taken() {
      const metrics = await readMetrics(gateway);
      const missed = (reason: string): number =>
        metrics.value('gatehouse_prepared_misses_total', { reason }) ?? Number.NaN;
      const hit = metrics.value('gatehouse_prepared_hits_total') ?? Number.NaN;
      const reasons = ['off', 'empty', 'other_profile'];
      return { hit, ...Object.fromEntries(reasons.map((reason) => [reason, missed(reason)])) };
    },
    async [Symbol.asyncDispose]() {
      for (const name of names()) seen.add(name);
      await gateway.close();
      try {
        await expectNothingLeft(gateway.dataDir, gateway.runsDir);
        expect(processesOfRuns(seen)).toEqual([]);
      } finally {
        rmSync(gateway.dataDir, { recursive: true, force: true });
      }
    },
  };
}

async function untilPrepared(
  gateway: TestGateway,
  count: number,
  names: () => string[],
  seen: Set<string>,
): Promise<string[]> {
  const idle = async () => (await readMetrics(gateway)).value('gatehouse_prepared_runs');
  await expect.poll(idle, { timeout: 20_000 }).toBe(count);
  await expect.poll(() => names().length, { timeout: 10_000 }).toBe(count);
  for (const name of names()) seen.add(name);
  return names();
}
