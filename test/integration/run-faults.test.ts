import { expect, test } from 'vitest';

import { startTestGateway } from '../support/test-gateway.ts';

test('answers a prompt with what the CLI said', async () => {
  await using gateway = await startTestGateway();
  const token = await gateway.mint('app');
  const answer = await gateway.run(token, { prompt: 'hello' });
  expect(answer.body).toMatchObject({ ok: true, result: expect.stringContaining('hello') });
  expect(await gateway.runDirectories()).toEqual([]);
});
