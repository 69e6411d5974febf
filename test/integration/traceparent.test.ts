// W3C Trace Context: what a client calls its trace goes with its run, into the log, the events and the audit row.
import { randomUUID } from 'node:crypto';

import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import type { TestGateway } from '../support/test-gateway.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const malformedOnes = {
  'without its parts': 'not-a-trace',
  'in capitals': traceparent.toUpperCase(),
  'with a trace of zeros': `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  'with a parent of zeros': `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
  'of the forbidden version': traceparent.replace(/^00/, 'ff'),
  'with something after it': `${traceparent}-more`,
  twice: `${traceparent}, ${traceparent}`,
  'with a line for the log in it': `${traceparent}"},{"level":"fatal`,
};

/** A run that was posted with these headers, when it has ended: what was told of it where. */
async function tracedRun(gateway: TestGateway, headers: Record<string, string>, prompt = 'hello') {
  const token = await gateway.mint(`app-${randomUUID()}`);
  const asApp = { authorization: `Bearer ${token}` };
  const posted = await gateway.fetch('/runs', {
    method: 'POST',
    headers: { ...asApp, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt }),
  });
  expect(posted.status).toBe(202);
  const runId = posted.body.run_id;
  const { text } = await gateway.fetch(`/runs/${runId}/events`, { headers: asApp });
  const events = [...text.matchAll(/^event: (.+)\ndata: (.+)$/gm)].map(([, type, data = '']) => ({
    type,
    traceparent: JSON.parse(data).traceparent,
  }));
  const logged = (): unknown => logLine(gateway, runId)['outcome'];
  await expect.poll(logged, { timeout: 15_000 }).toBeDefined();
  const [row] = await gateway.audit('?action=run');
  return { line: logLine(gateway, runId), events, row };
}

function logLine(gateway: TestGateway, runId: string): Record<string, unknown> {
  const isLine = ({ msg, run_id }: Record<string, unknown>): boolean =>
    msg === 'run ended' && run_id === runId;
  return gateway.logged().find(isLine) ?? {};
}

describe('a traceparent', () => {
  test('is in the log line, the first events and the audit row of its run', async () => {
    await using gateway = await startCheckedGateway();
    const { line, events, row } = await tracedRun(gateway, { traceparent });
    expect(line).toMatchObject({ traceparent, outcome: 'completed' });
    expect(events).toContainEqual({ type: 'run.queued', traceparent });
    expect(events).toContainEqual({ type: 'run.started', traceparent });
    expect(row.details).toMatchObject({ traceparent });
  });

  test('goes with a run that fails as well, and with POST /run', async () => {
    await using gateway = await startCheckedGateway();
    const { line, row } = await tracedRun(gateway, { traceparent }, '@@exit 1');
    expect(line).toMatchObject({ traceparent, outcome: 'crashed' });
    expect(row.details).toMatchObject({ traceparent });
    const authorization = `Bearer ${await gateway.mint('another')}`;
    const answer = await gateway.fetch('/run', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json', traceparent },
      body: JSON.stringify({ prompt: 'hello' }),
    });
    expect(logLine(gateway, answer.body.run_id)).toMatchObject({ traceparent });
  });

  test('that is not well formed is as good as none', async () => {
    await using gateway = await startCheckedGateway();
    for (const [how, malformed] of Object.entries(malformedOnes)) {
      const { line, events, row } = await tracedRun(gateway, { traceparent: malformed });
      const told = [line, ...events, row.details].map((each) => each['traceparent']);
      expect({ how, told: told.filter((each) => each !== undefined) }).toEqual({ how, told: [] });
    }
  });
});
