// SIGTERM with a queue behind it: what runs may end, readers are told, what waits and may be fetched later waits for the next start.
import { join } from 'node:path';

import { expect, test, vi } from 'vitest';

import { startExecutionLog } from '../support/execution-log.ts';
import { gatherFacts, readRows } from '../support/gateway-facts.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { violationsOf } from '../support/invariants.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

// Two gateways start in most of these.
vi.setConfig({ testTimeout: 90_000 });

const runsDir = ({ dataDir }: GatewayProcess): string => join(dataDir, 'runs');

function post(token: string, body: object, headers: Record<string, string> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

/** Waits for the end of a run, by the token of its app. */
async function untilEnded(gateway: GatewayProcess, token: string, runId: string) {
  const headers = { authorization: `Bearer ${token}` };
  return (await gateway.fetch(`/runs/${runId}?wait=20`, { headers })).body;
}

test('a run that is interrupted at SIGTERM and done again tells its readers that its first text does not count', async () => {
  await using log = await startExecutionLog();
  const env = { SHUTDOWN_GRACE_SECS: '0.2' };
  await using gateway = await startGatewayProcess({ env, keep: true });
  const { dataDir } = gateway;
  const token = await gateway.mint('app');
  const prompt = `${log.line}\n@@print 0.001\n${waitForGo}\ndone`;
  const request = post(token, { prompt, on_interrupt: 'retry' });
  const { run_id: runId } = (await gateway.fetch('/runs', request)).body;
  await untilHeld(runsDir(gateway), 1);
  gateway.child.kill('SIGTERM');
  expect(await gateway.exited).toEqual([0, null]);
  expect(readRows(dataDir).runs).toMatchObject([{ state: 'queued', attempt: 1 }]);

  await using next = await startGatewayProcess({ env, dataDir });
  await untilHeld(runsDir(next), 1);
  letGo(runsDir(next));
  expect(await untilEnded(next, token, runId)).toMatchObject({ outcome: 'completed', attempt: 2 });
  const events = readRows(dataDir).events.map(({ type, data }) => ({ type, ...JSON.parse(data) }));
  const attempts = events.filter(({ type }) => /^(run|retry)/.test(type));
  expect(attempts).toMatchObject([
    { type: 'run.queued', attempt: 0 },
    { type: 'run.started', attempt: 1 },
    { type: 'retry', reason: 'interrupted', superseded: [1] },
    { type: 'run.queued', attempt: 1 },
    { type: 'run.started', attempt: 2 },
    { type: 'run.completed' },
  ]);
  const before = events[events.findIndex(({ type }) => type === 'retry') - 1];
  expect(before).toMatchObject({ type: 'message.delta', message: 1 });
  const facts = await gatherFacts({
    ...{ dataDir, executions: log.executions(), concurrency: 2, told: [runId] },
  });
  expect(violationsOf(facts)).toEqual([]);
});
