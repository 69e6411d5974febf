import { expect, test } from 'vitest';

import { isOutcome, outcomeError, outcomes } from '../../gateway/runs/outcome.ts';
import type { FailedOutcome } from '../../gateway/runs/outcome.ts';

/** contract.md's table. client_gone is logged only, so nobody is told whether to retry. */
const contract: [outcome: string, statusCode: number, retryable: boolean][] = [
  ['completed', 200, false],
  ['refused', 422, false],
  ['max_turns', 422, false],
  ['max_output_tokens', 422, false],
  ['budget', 422, false],
  ['schema_invalid', 422, true],
  ['prompt_too_long', 422, false],
  ['model_unavailable', 422, false],
  ['empty', 502, true],
  ['crashed', 502, true],
  ['upstream_error', 502, true],
  ['output_too_large', 502, false],
  ['rate_limited', 429, true],
  ['overloaded', 503, true],
  ['auth', 503, false],
  ['billing', 503, false],
  ['cli_missing', 503, false],
  ['spawn_failed', 503, true],
  ['interrupted', 503, true],
  ['timeout_start', 504, true],
  ['timeout_idle', 504, true],
  ['timeout_total', 504, false],
  ['cancelled', 409, false],
  ['client_gone', 499, false],
  ['disk_full', 507, true],
];

test('the list of outcomes is the one of the contract', () => {
  expect(Object.keys(outcomes).toSorted()).toEqual(contract.map(([name]) => name).toSorted());
});

test.each(contract)('%s answers %i, retryable %s', (outcome, statusCode, retryable) => {
  expect(isOutcome(outcome)).toBe(true);
  const error = outcomeError(outcome as FailedOutcome);
  expect(error).toEqual({ code: outcome, statusCode, retryable });
});

test.each(['', 'Completed', 'toString', '__proto__', 'timeout'])('%j is no outcome', (text) => {
  expect(isOutcome(text)).toBe(false);
});
