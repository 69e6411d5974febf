import { expect, test } from 'vitest';

import type { ClaudeResult } from '../../gateway/claude/claude-events.ts';
import { addSpend, turnCost } from '../../gateway/claude/turn-spend.ts';

const result: ClaudeResult = { subtype: 'success', is_error: false };

test('the cost of a turn is what came since the last result, not what the process cost in all', () => {
  // The second of two turns, as CLI 2.1.329 counted it.
  const second = {
    ...{ ...result, total_cost_usd: 0.0016 },
    model_usage_since_last_result: { 'claude-a': { inputTokens: 100, costUSD: 0.0008 } },
  };
  expect(turnCost(second)).toBe(0.0008);
  const models = { a: { costUSD: 0.25 }, b: { costUSD: 0.5 } };
  expect(turnCost({ ...second, model_usage_since_last_result: models })).toBe(0.75);
});

test('a turn in which no model was asked costs nothing, whatever the process cost before', () => {
  const failed = { ...result, total_cost_usd: 0.0008, model_usage_since_last_result: {} };
  expect(turnCost(failed)).toBe(0);
});

test('a CLI that does not say what came since is reckoned by the difference', () => {
  expect(turnCost({ ...result, total_cost_usd: 0.75 }, 0.5)).toBe(0.25);
  expect(turnCost({ ...result, total_cost_usd: 0.75 })).toBe(0.75);
  expect(turnCost({ ...result, total_cost_usd: 0.25 }, 0.5)).toBe(0);
  const odd = { ...result, total_cost_usd: 0.75, model_usage_since_last_result: 'none' };
  expect(turnCost(odd, 0.5)).toBe(0.25);
  expect(turnCost(result)).toBeNull();
});

test('the results of one run are added up, cumulative costs and all', () => {
  const usage = { input_tokens: 100, output_tokens: 20 };
  const first = addSpend(null, { ...result, usage, total_cost_usd: 0.5 });
  const both = addSpend(first, { ...result, usage, total_cost_usd: 0.75 }, 0.5);
  expect(both).toEqual({
    ...{ inputTokens: 200, outputTokens: 40, cacheCreationTokens: 0, cacheReadTokens: 0 },
    costUsd: 0.75,
  });
});
