// What one turn cost. The CLI adds its costs up over the turns of a process and over `--resume`; tokens are of the turn. Pure.
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

import type { ClaudeResult } from './claude-events.ts';

const usageByModel = Compile(Type.Record(Type.String(), Type.Object({ costUSD: Type.Number() })));

/**
 * @param previousTotalUsd the `total_cost_usd` of the result before, for a CLI that does not say what came since.
 * Null when the result tells no cost.
 */
export function turnCost(result: ClaudeResult, previousTotalUsd = 0): number | null {
  const { model_usage_since_last_result: sinceLast, total_cost_usd: total } = result;
  if (usageByModel.Check(sinceLast)) {
    return Object.values(sinceLast).reduce((sum, { costUSD }) => sum + costUSD, 0);
  }
  return total === undefined ? null : Math.max(0, total - previousTotalUsd);
}

export type TurnSpend = {
  inputTokens: number;
  outputTokens: number;
  cacheCreationTokens: number;
  cacheReadTokens: number;
  costUsd: number | null;
};

/** Of a run that had several results, such as one that a background task woke: all of them together. */
export function addSpend(
  before: TurnSpend | null,
  result: ClaudeResult,
  previousTotalUsd?: number,
): TurnSpend {
  const { usage } = result;
  const cost = turnCost(result, previousTotalUsd);
  return {
    inputTokens: (before?.inputTokens ?? 0) + (usage?.input_tokens ?? 0),
    outputTokens: (before?.outputTokens ?? 0) + (usage?.output_tokens ?? 0),
    cacheCreationTokens:
      (before?.cacheCreationTokens ?? 0) + (usage?.cache_creation_input_tokens ?? 0),
    cacheReadTokens: (before?.cacheReadTokens ?? 0) + (usage?.cache_read_input_tokens ?? 0),
    costUsd: cost === null ? (before?.costUsd ?? null) : (before?.costUsd ?? 0) + cost,
  };
}
