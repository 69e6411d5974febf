// What the schemas of runs are made of.
import { Type } from 'typebox';

const metadataKeysMax = 16;

/** Written out: a TypeBox record drops the limits of its keys. They go into the audit log, which nobody can shrink. */
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: metadataKeysMax,
  propertyNames: { minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}\\u2028\\u2029]*$' },
  additionalProperties: { type: 'string', maxLength: 512 },
  description: 'shown with the run and kept in the audit row; up to 16 strings',
  examples: [{ ticket: '4711' }],
});

export const runId = Type.String({
  description: 'the id of the run',
  examples: ['run_01m7yjjfcksfhngdhy16rrxw3j'],
});

export const sessionId = Type.String({
  description: 'the id of the session',
  examples: ['sess_01m7yjjfcksfhngdhy16rrxw3j'],
});

export const result = Type.Unknown({
  description: 'a JSON object or array where the model answered with one, else its text',
  examples: ['A gatehouse guards, lodges and welcomes.'],
});
export const stopReason = Type.String({
  description: 'why the model stopped, in its own words',
  examples: ['end_turn'],
});
export const answeringModel = Type.String({
  description: 'the id that answered',
  examples: ['claude-sonnet-5-5'],
});
export const durationMs = Type.Integer({
  minimum: 0,
  description: 'of the run without its time in the queue',
  examples: [1840],
});
export const costUsd = Type.Number({ description: 'as Claude Code counts it', examples: [0.0004] });
const queuePosition = Type.Integer({
  minimum: 0,
  description: '1 is the next to start; 0 once it has',
  examples: [2],
});
const estimateSecs = Type.Integer({
  minimum: 0,
  description: 'until the answer, guessed from how long runs of this app took lately',
  examples: [12],
});

export const waitsUntil = Type.String({
  description:
    'no run starts before, in UTC: the subscription has reached its limit; missing when nothing but the queue is in the way',
  examples: ['2026-11-27T14:00:00.000Z'],
});

/** Of a run that waits. */
export const placeFields = {
  queue_position: queuePosition,
  estimate_secs: estimateSecs,
  waits_until: Type.Optional(waitsUntil),
};

/** A run that has ended well. */
export const endedRunExample = {
  run_id: 'run_01m7yjjfcksfhngdhy16rrxw3j',
  status: 'ended',
  outcome: 'completed',
  requested_model: 'sonnet',
  attempt: 1,
  created_at: '2026-11-27T12:00:00.000Z',
  started_at: '2026-11-27T12:00:00.210Z',
  ended_at: '2026-11-27T12:00:02.050Z',
  metadata: { ticket: '4711' },
  model: 'claude-sonnet-5-5',
  duration_ms: 1840,
  cost_usd: 0.0004,
};

export const usageExample = {
  input_tokens: 100,
  output_tokens: 20,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};
