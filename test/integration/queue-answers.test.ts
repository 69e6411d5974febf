// What an app is told when it asks for more than there is room for.
import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import type { TestGateway } from '../support/test-gateway.ts';

/** One run that holds the only place, and so many of each token that wait. */
async function fill(gateway: TestGateway, holder: string, waiting: string[]) {
  const { queue } = gateway.gateway.engine;
  const answers = [gateway.run(holder, { prompt: `${waitForGo}\nheld` })];
  await untilHeld(gateway.runsDir, 1);
  for (const [index, token] of waiting.entries()) {
    answers.push(gateway.run(token, { prompt: `waiting ${index}` }));
    await expect.poll(() => queue.counts().waiting).toBe(index + 1);
  }
  return {
    finish: async () => {
      letGo(gateway.runsDir);
      return (await Promise.all(answers)).map((answer) => answer.body.result);
    },
  };
}

const waitTold = expect.stringMatching(/^\d+$/);

describe('a full queue', () => {
  test('is refused at once with the time to come back, and costs no row', async () => {
    await using gateway = await startCheckedGateway({
      env: { GATEWAY_CONCURRENCY: '1', RUN_QUEUE_LIMIT: '2' },
    });
    const [a, b, c] = [await gateway.mint('a'), await gateway.mint('b'), await gateway.mint('c')];
    const filled = await fill(gateway, a, [a, b]);
    const refused = await gateway.run(c, { prompt: 'one too many' });
    const error = { code: 'queue_full', retryable: true, retry_after_secs: expect.any(Number) };
    expect(refused).toMatchObject({ status: 429, body: { ok: false, error } });
    expect(refused.headers.get('retry-after')).toEqual(waitTold);
    expect(await filled.finish()).toEqual(['held', 'waiting 0', 'waiting 1']);
    expect(await gateway.audit('?action=run')).toHaveLength(3);
  });

  test('is full for one app when that one fills its quarter, and open for the others', async () => {
    await using gateway = await startCheckedGateway({
      env: { GATEWAY_CONCURRENCY: '1', RUN_QUEUE_LIMIT: '8' },
    });
    const [a, b] = [await gateway.mint('a'), await gateway.mint('b')];
    const filled = await fill(gateway, a, [a, a, b]);
    const refused = await gateway.run(a, { prompt: 'one too many' });
    const error = { code: 'app_busy', retryable: true, message: expect.stringContaining('2 runs') };
    expect(refused).toMatchObject({ status: 429, body: { error } });
    expect(refused.headers.get('retry-after')).toEqual(waitTold);
    expect(await filled.finish()).toEqual(['held', 'waiting 0', 'waiting 1', 'waiting 2']);
  });
});

describe('an app at its max_concurrent', () => {
  test('waits while the runs of another app pass', async () => {
    await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '3' } });
    const capped = await gateway.mint('capped', { max_concurrent: 1 });
    const other = await gateway.mint('other');
    const filled = await fill(gateway, capped, [capped]);
    expect((await gateway.run(other, { prompt: 'passes' })).body.result).toBe('passes');
    expect(gateway.gateway.engine.queue.counts()).toMatchObject({ running: 1, waiting: 1 });
    expect(await filled.finish()).toEqual(['held', 'waiting 0']);
    const rows = await gateway.audit('?action=run&app=capped');
    expect(rows.map((row) => row.details.queue_ms > 0)).toContain(true);
  });
});

test('the time in the queue does not count for timeout_secs', async () => {
  await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
  const token = await gateway.mint('app');
  const first = gateway.run(token, { prompt: '@@sleep 2500\nfirst', timeout_secs: 20 });
  await expect.poll(() => gateway.gateway.engine.queue.counts().running).toBe(1);
  const second = await gateway.run(token, { prompt: 'second', timeout_secs: 2 });
  expect((await first).body.result).toBe('first');
  expect(second.body.result).toBe('second');
  const [row] = await gateway.audit('?action=run');
  expect(row.details.queue_ms).toBeGreaterThan(2000);
});
