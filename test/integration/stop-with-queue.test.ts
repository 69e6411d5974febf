// SIGTERM with a queue behind it: what runs may end, readers are told, what waits and may be fetched later waits for the next start.
import { join } from 'node:path';

import { expect, test, vi } from 'vitest';

import { startExecutionLog } from '../support/execution-log.ts';
import { gatherFacts, readRows } from '../support/gateway-facts.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { violationsOf } from '../support/invariants.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { post, submit, untilEnded } from '../support/run-requests.ts';
import { readToEnd } from '../support/stream-reading.ts';

// Two gateways start in most of these.
vi.setConfig({ testTimeout: 90_000, expect: { poll: { timeout: 15_000 } } });

const runsDir = ({ dataDir }: GatewayProcess): string => join(dataDir, 'runs');

async function stop(gateway: GatewayProcess): Promise<void> {
  gateway.child.kill('SIGTERM');
  await expect.poll(() => gateway.stdout()).toContain('"msg":"stopping"');
}

test('SIGTERM with three runs and two streams refuses what is new, tells the readers, and lets the runs end', async () => {
  await using log = await startExecutionLog();
  await using gateway = await startGatewayProcess({ env: { GATEWAY_CONCURRENCY: '3' } });
  const token = await gateway.mint('app');
  const prompt = `${log.line}\n${waitForGo}\nheld`;
  const plain = gateway.run(token, { prompt });
  const streamed = readToEnd(
    `${gateway.url}/run`,
    post(token, { prompt }, { accept: 'text/event-stream' }),
  );
  const submitted = await submit(gateway, token, { prompt });
  const { run_id: runId } = submitted.body;
  const watched = readToEnd(`${gateway.url}/runs/${runId}/events`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await untilHeld(runsDir(gateway), 3);
  await stop(gateway);

  const refused = await submit(gateway, token, { prompt: 'too late' });
  expect(refused).toMatchObject({ status: 503, body: { error: { code: 'draining' } } });
  // Whoever can come back is sent away; whoever waits for an answer on its stream gets it.
  expect(await watched).toMatchObject({ isWhole: true });
  expect((await watched).events.map(({ type }) => type)).toEqual([
    ...['run.queued', 'run.started', 'server.shutdown'],
  ]);
  letGo(runsDir(gateway));
  expect(await plain).toMatchObject({ status: 200, body: { result: 'held' } });
  const types = (await streamed).events.map(({ type }) => type);
  expect(types).toContain('server.shutdown');
  expect(types.at(-1)).toBe('run.completed');
  expect(await gateway.exited).toEqual([0, null]);
  const { dataDir } = gateway;
  const told = [runId, (await plain).body.run_id];
  const facts = await gatherFacts({ dataDir, executions: log.executions(), concurrency: 3, told });
  expect(violationsOf(facts)).toEqual([]);
  expect(facts.runs.map(({ outcome }) => outcome)).toEqual(Array(3).fill('completed'));
});

test('what waits at SIGTERM and may be fetched later is done by the next start, once and in its order', async () => {
  await using log = await startExecutionLog();
  const env = { GATEWAY_CONCURRENCY: '1' };
  await using gateway = await startGatewayProcess({ env, keep: true });
  const { dataDir } = gateway;
  const token = await gateway.mint('app');
  const prompt = (text: string) => `${log.line}\n${text}`;
  const holder = gateway.run(token, { prompt: prompt(`${waitForGo}\nheld`) });
  await untilHeld(runsDir(gateway), 1);
  const enqueue = (text: string) => submit(gateway, token, { prompt: prompt(text) });
  const first = await enqueue('first');
  const keyed = post(token, { prompt: prompt('keyed') }, { 'idempotency-key': 'k' });
  const waiting = gateway.fetch('/run', keyed);
  await expect.poll(() => readRows(dataDir).runs.length).toBe(3);
  const second = await enqueue('second');
  const forgotten = gateway.run(token, { prompt: prompt('forgotten') });
  await expect.poll(() => readRows(dataDir).runs.length).toBe(5);
  await stop(gateway);

  const sentAway = await waiting;
  expect(sentAway).toMatchObject({
    status: 503,
    body: { error: { code: 'draining', retryable: true, retry_after_secs: 5 } },
  });
  expect(await forgotten).toMatchObject({ status: 503, body: { error: { code: 'interrupted' } } });
  letGo(runsDir(gateway));
  expect(await holder).toMatchObject({ status: 200, body: { result: 'held' } });
  expect(await gateway.exited).toEqual([0, null]);
  expect(readRows(dataDir).runs.map(({ state }) => state)).toEqual([
    ...['ended', 'queued', 'queued', 'queued', 'ended'],
  ]);

  await using next = await startGatewayProcess({ env, dataDir });
  const told = [first, sentAway, second].map(({ body }) => String(body.run_id));
  const ended = await Promise.all(told.map((runId) => untilEnded(next, token, runId)));
  expect(ended.map(({ result }) => result)).toEqual(['first', 'keyed', 'second']);
  const fetched = await next.fetch('/run', keyed);
  expect(fetched).toMatchObject({ status: 200, body: { result: 'keyed', run_id: told[1] } });
  expect(fetched.headers.get('idempotent-replayed')).toBe('true');
  const executions = log.executions();
  expect(executions.slice(1).map(({ runId }) => runId)).toEqual(told);
  const facts = await gatherFacts({ dataDir, executions, concurrency: 1, told });
  expect(violationsOf(facts)).toEqual([]);
});

test('a run that is interrupted at SIGTERM and done again tells its readers that its first text does not count', async () => {
  await using log = await startExecutionLog();
  const env = { SHUTDOWN_GRACE_SECS: '0.2' };
  await using gateway = await startGatewayProcess({ env, keep: true });
  const { dataDir } = gateway;
  const token = await gateway.mint('app');
  const prompt = `${log.line}\n@@print 0.001\n${waitForGo}\ndone`;
  const submitted = await submit(gateway, token, { prompt, on_interrupt: 'retry' });
  const { run_id: runId } = submitted.body;
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
