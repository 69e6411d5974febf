// Hundreds of runs through one gateway leave nothing behind in it: no open file, no file, no process.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { gatherFacts } from '../support/gateway-facts.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { violationsOf } from '../support/invariants.ts';
import { countsOf } from '../support/process-facts.ts';
import { runCrowd } from '../support/run-crowd.ts';
import { projectDir } from '../support/test-gateway.ts';

test('after three hundred runs a gateway holds what it held after fifty', async () => {
  await using gateway = await startGatewayProcess({
    env: {
      CLAUDE_BIN: join(projectDir, 'test/bench/instant-claude.sh'),
      ...{ GATEWAY_CONCURRENCY: '4', RUN_MEMORY_MB: '0' },
    },
  });
  const { dataDir, child, url } = gateway;
  const pid = child.pid ?? 0;
  const token = await gateway.mint('app');
  const held = () => ({
    counts: countsOf(pid),
    files: readdirSync(dataDir, { recursive: true }).length,
  });
  /** Connections that were closed at this end are gone at the other a moment later. */
  const atRest = async () => {
    let last = '';
    const isSteady = (): boolean => {
      const before = last;
      last = JSON.stringify(held());
      return last === before;
    };
    await expect.poll(isSteady, { interval: 200, timeout: 10_000 }).toBe(true);
    return held();
  };

  await runCrowd(url, token, { runs: 50, together: 4 });
  const before = await atRest();
  await runCrowd(url, token, { runs: 250, together: 4 });
  await expect.poll(held, { timeout: 10_000 }).toEqual(before);

  const facts = await gatherFacts({
    ...{ dataDir, executions: [], concurrency: 4 },
    counts: { before: before.counts, after: countsOf(pid) },
  });
  expect(facts.runs).toHaveLength(300);
  expect(violationsOf(facts)).toEqual([]);
}, 120_000);
