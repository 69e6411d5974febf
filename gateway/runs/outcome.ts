// The closed list of how a run can end: contract.md's table. A run ends in exactly one of these, never in a false success.
import type { ErrorKind } from '#shared/errors.ts';

export const outcomes = {
  completed: { statusCode: 200, retryable: false },
  refused: { statusCode: 422, retryable: false },
  max_turns: { statusCode: 422, retryable: false },
  max_output_tokens: { statusCode: 422, retryable: false },
  budget: { statusCode: 422, retryable: false },
  schema_invalid: { statusCode: 422, retryable: true },
  prompt_too_long: { statusCode: 422, retryable: false },
  model_unavailable: { statusCode: 422, retryable: false },
  empty: { statusCode: 502, retryable: true },
  crashed: { statusCode: 502, retryable: true },
  upstream_error: { statusCode: 502, retryable: true },
  output_too_large: { statusCode: 502, retryable: false },
  rate_limited: { statusCode: 429, retryable: true },
  overloaded: { statusCode: 503, retryable: true },
  auth: { statusCode: 503, retryable: false },
  billing: { statusCode: 503, retryable: false },
  cli_missing: { statusCode: 503, retryable: false },
  spawn_failed: { statusCode: 503, retryable: true },
  interrupted: { statusCode: 503, retryable: true },
  timeout_start: { statusCode: 504, retryable: true },
  timeout_idle: { statusCode: 504, retryable: true },
  timeout_total: { statusCode: 504, retryable: false },
  cancelled: { statusCode: 409, retryable: false },
  client_gone: { statusCode: 499, retryable: false },
  disk_full: { statusCode: 507, retryable: true },
} as const satisfies Record<string, Omit<ErrorKind, 'code'>>;

export type Outcome = keyof typeof outcomes;
export type FailedOutcome = Exclude<Outcome, 'completed'>;

/** When to come back after a gateway that stops: by then it is started again. */
export const interruptedRetrySecs = 5;

export function isOutcome(value: string): value is Outcome {
  return Object.hasOwn(outcomes, value);
}

export function outcomeError(outcome: FailedOutcome): ErrorKind {
  return { code: outcome, ...outcomes[outcome] };
}
