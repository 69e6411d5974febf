// The real CLI with a token of a subscription: a used-up window parks the queue, one run tries after its reset, then all go on.
import { expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { errorReply, limitHeaders, textReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';

const subscription = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };

function epochSecs(inSecs: number): number {
  return Math.ceil(Date.now() / 1000) + inSecs;
}

test('a used-up window is waited for, tried by one run, and everybody goes on', async () => {
  const passed = { ms: 0 };
  const clock = { ...systemClock, now: () => systemClock.now() + passed.ms };
  await using gateway = await startModelGateway(
    { ...subscription, GATEWAY_CONCURRENCY: '2' },
    { clock },
  );
  const token = await gateway.mint('another');
  const resets = epochSecs(7200);
  const usedUp = limitHeaders({
    ...{ status: 'rejected', 'representative-claim': 'five_hour', reset: resets },
    ...{ '5h-status': 'rejected', '5h-utilization': '1.0', '5h-reset': resets },
    ...{ '7d-status': 'allowed', '7d-utilization': '0.4', '7d-reset': epochSecs(400_000) },
  });
  const met = await gateway.ask(errorReply(429, 'used up', { headers: usedUp }));
  expect(met).toMatchObject({ status: 429, body: { error: { code: 'rate_limited' } } });
  expect(Date.parse(met.body.error.details.resets_at)).toBe(resets * 1000);

  const headers = limitHeaders({ ...{ status: 'allowed', '5h-status': 'allowed' } });
  let callsDuringFirst = 0;
  gateway.answerWith(async (_request, index) => {
    if (index === 0) {
      // Time enough for the dispatcher to look again.
      await clock.sleep(3000);
      callsDuringFirst = gateway.model.calls.length;
    }
    return textReply('works', { headers });
  });
  expect(await gateway.run(token, { prompt: 'too early' })).toMatchObject({ status: 429 });
  const ids: string[] = [];
  for (const prompt of ['one', 'two', 'three']) ids.push(await gateway.submit(token, { prompt }));
  const { body } = await gateway.as(token, `/runs/${ids[0]}`);
  expect(body).toMatchObject({ status: 'queued', waits_until: met.body.error.details.resets_at });
  expect(gateway.model.calls).toHaveLength(0);
  expect((await gateway.admin('/admin/limits')).body).toMatchObject({
    parked: { window: 'five_hour' },
    items: [
      { window: 'five_hour', status: 'rejected', utilization: 1 },
      { window: 'seven_day', status: 'allowed', utilization: 0.4 },
    ],
  });

  passed.ms = 7_201_000;
  for (const runId of ids) {
    expect((await gateway.ended(token, runId)).outcome).toBe('completed');
  }
  expect(callsDuringFirst).toBe(1);
  expect((await gateway.admin('/admin/limits')).body.parked).toBeNull();
}, 120_000);
