// What each result of the CLI counts: the turn, or everything since the process began.
import { expect, test } from 'vitest';

import { startModelStub } from '../../cli/model-stub.ts';
import { turnCost } from '../../gateway/claude/turn-spend.ts';
import { say, startConversation } from '../support/claude-conversation.ts';

test('two turns in one process: tokens are of the turn, costs add up, and what came since is told', async () => {
  await using stub = await startModelStub();
  await using claude = startConversation({ baseUrl: stub.url });
  claude.send(say.initialize(), say.user('one'));
  await claude.line((line) => line['type'] === 'result');
  claude.send(say.user('two'));
  claude.end();
  const { lines } = await claude.ended;
  const results = lines.filter((line) => line['type'] === 'result');
  const [first, second] = results;
  expect(results.map((line) => line['usage'].input_tokens)).toEqual([100, 100]);
  const total = Number(first?.['total_cost_usd']);
  expect(total).toBeGreaterThan(0);
  expect(second?.['total_cost_usd']).toBeCloseTo(2 * total, 9);
  for (const line of results) {
    expect(turnCost({ subtype: 'success', is_error: false, ...line })).toBeCloseTo(total, 9);
  }
});
