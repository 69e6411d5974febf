// What the invariants are checked on has to be seen: a run under way shows everywhere, and nowhere once it has ended.
import { expect, test } from 'vitest';

import { startExecutionLog } from '../support/execution-log.ts';
import { gatherFacts } from '../support/gateway-facts.ts';
import { violationsOf } from '../support/invariants.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import { upload } from '../support/upload-form.ts';

test('the facts show a run that is under way, and nothing of it when it has ended', async () => {
  await using log = await startExecutionLog();
  await using gateway = await startTestGateway();
  const { dataDir } = gateway;
  const facts = () =>
    gatherFacts({
      ...{ dataDir, executions: log.executions(), concurrency: 2, told: [runId] },
      secrets: { 'a word': 'watchword-5c1d' },
      texts: { 'the log': JSON.stringify(gateway.logged()) },
    });
  const token = await gateway.mint('app');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const { body: file } = await upload(gateway, token, 'a file');
  const prompt = `${log.line}\n${waitForGo}\nthe watchword-5c1d`;
  const body = JSON.stringify({ prompt, files: [file.file_token] });
  const request = { method: 'POST', headers: { ...headers, 'idempotency-key': 'k' }, body };
  const runId = (await gateway.fetch('/runs', request)).body.run_id;
  await untilHeld(gateway.runsDir, 1);

  const during = await facts();
  expect(during.runs).toMatchObject([{ runId, state: 'running', attempt: 1, isDetached: 1 }]);
  expect(during.processes.map((process) => process.runId)).toEqual([runId]);
  expect(during.executions).toEqual([{ runId, from: 1, to: null }]);
  expect(during.left).toEqual([{ path: `runs/${runId}`, bytes: expect.any(Number) }]);
  expect(during.leaks).toContainEqual({ secret: 'a word', where: 'gateway.db-wal' });
  expect(during.keys).toEqual([{ key: 'k', runSeq: 1, statusCode: 202 }]);
  expect(violationsOf(during)).toEqual(
    expect.arrayContaining([
      `I1: ${runId} has not ended: it is running`,
      `I1: ${runId} has 0 audit rows`,
      `I1: ${runId} has 0 answers`,
      `I7: the request of ${runId} is still stored`,
      `I7: ${runId} still has files pinned`,
      `I8: ${runId} has 0 terminal events`,
    ]),
  );

  letGo(gateway.runsDir);
  const ended = await gateway.fetch(`/runs/${runId}?wait=20`, { headers });
  expect(ended.body).toMatchObject({ status: 'ended', outcome: 'completed' });
  // Its prompt is in its audit row: that is where it belongs.
  expect(violationsOf({ ...(await facts()), leaks: [] })).toEqual([]);
});
