// Two apps in turn, each in a prepared process of the real CLI: what the model is sent for the second holds nothing of the first.
import { expect, test } from 'vitest';

import { echoReply } from '../../cli/model-stub-reply.ts';
import { readMetrics } from '../support/metric-samples.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

async function untilPrepared(gateway: ModelGateway): Promise<void> {
  const idle = async () => (await readMetrics(gateway)).value('gatehouse_prepared_runs');
  await expect.poll(idle, { timeout: 20_000 }).toBe(1);
}

test('a prepared run of one app leaves no word in the request of the next', async () => {
  await using gateway = await startModelGateway({ PREPARED_RUNS: '1' });
  const first = { prompt: 'canary of the prompt', system: 'canary of the system prompt' };
  const schema = { type: 'object', properties: { canary_of_the_schema: { type: 'string' } } };
  await untilPrepared(gateway);
  await gateway.run(await gateway.mint('first'), { ...first, json_schema: schema, effort: 'low' });
  const told = JSON.stringify(gateway.model.requests.map(({ body }) => body));
  expect(told).toContain('canary of the prompt');
  expect(told).toContain('canary of the system prompt');

  const plain = { prompt: 'hello', model: 'haiku' };
  gateway.answerWith(echoReply);
  gateway.model.requests.length = 0;
  await untilPrepared(gateway);
  const answer = await gateway.run(await gateway.mint('second'), plain);
  expect(answer.status).toBe(200);
  const [prepared] = gateway.model.calls;
  const asked = JSON.stringify(gateway.model.requests);
  expect(asked).toContain('hello');
  expect(asked).not.toMatch(/canary|first/);

  const [row] = await gateway.audit('?action=run');
  expect(row.details).toMatchObject({ prepared: true, survivors: 0 });
  // A run that starts its own process asks for the very same.
  gateway.answerWith(echoReply);
  await gateway.run(await gateway.mint('third'), { ...plain, max_turns: 5 });
  const [cold] = gateway.model.calls;
  expect(comparable(prepared?.body)).toEqual(comparable(cold?.body));
});

/** Without what differs from process to process: ids. */
function comparable(body: unknown): string {
  return JSON.stringify(body)
    .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'uuid')
    .replaceAll(/[0-9a-f]{64}/g, 'digest');
}
