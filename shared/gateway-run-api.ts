// What apps ask of the gateway about runs, and what it answers.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import {
  Count,
  ErrorObject,
  Milliseconds,
  NextPage,
  Nullable,
  pageLimit,
  Time,
  TimeOrNull,
} from './api-schema.ts';

const metadataKeysMax = 16;
const filesMax = 20;

/** Written out: a TypeBox record drops the limits of its keys. They go into the audit log, which nobody can shrink. */
const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: metadataKeysMax,
  propertyNames: { minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}\\u2028\\u2029]*$' },
  additionalProperties: { type: 'string', maxLength: 512 },
  description: 'kept in the audit row',
});

export const RunRequest = Type.Object(
  {
    prompt: Type.String({ minLength: 1, description: 'what to ask; not only white space' }),
    model: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'an alias or a full id' }),
    ),
    system: Type.Optional(Type.String({ description: 'the system prompt' })),
    files: Type.Optional(
      Type.Array(Type.String({ maxLength: 200 }), {
        maxItems: filesMax,
        description: 'tokens of uploaded files, put before the prompt in this order',
      }),
    ),
    timeout_secs: Type.Optional(
      Type.Number({ minimum: 1, description: 'time in the queue does not count' }),
    ),
    effort: Type.Optional(Type.Enum(['low', 'medium', 'high', 'xhigh', 'max'])),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    max_budget_usd: Type.Optional(Type.Number({ minimum: 0.000001, maximum: 100_000 })),
    json_schema: Type.Optional(
      Type.Object(
        { type: Type.Literal('object') },
        { additionalProperties: true, description: 'JSON Schema draft-07 the answer must fit' },
      ),
    ),
    metadata: Type.Optional(Metadata),
    on_interrupt: Type.Optional(
      Type.Enum(['fail', 'retry'], {
        description: 'what becomes of the run when the gateway stops in the middle of it',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ prompt: 'Name three uses of a gatehouse.' }] },
);
export type RunRequest = Static<typeof RunRequest>;

export const RunUsage = Type.Object({
  input_tokens: Count,
  output_tokens: Count,
  cache_creation_input_tokens: Count,
  cache_read_input_tokens: Count,
});

const runId = Type.String({ examples: ['run_01m7yjjfcksfhngdhy16rrxw3j'] });
const result = Type.Unknown({
  description: 'a JSON object or array where the model answered with one, else its text',
  examples: ['A gatehouse guards, lodges and welcomes.'],
});
const outcomeFields = {
  duration_ms: Milliseconds,
  stop_reason: Nullable(Type.String()),
  model: Nullable(Type.String({ description: 'the id that answered' })),
  usage: RunUsage,
  cost_usd: Type.Number(),
};

/** The body of a completed POST /run, and the data of `run.completed`. */
export const RunAnswer = Type.Object({
  ok: Type.Literal(true),
  run_id: runId,
  result,
  ...outcomeFields,
});
export type RunAnswer = Static<typeof RunAnswer>;

export const RunStatus = Type.Enum(['queued', 'starting', 'running', 'ended']);
export type RunStatus = Static<typeof RunStatus>;

const queuePosition = Type.Integer({
  minimum: 0,
  description: '1 is the next to start; 0 once it has',
});
const estimateSecs = Type.Integer({
  minimum: 0,
  description: 'until the answer, guessed from how long runs of this app took lately',
});

export const SubmittedRun = Type.Object({
  run_id: runId,
  status: RunStatus,
  queue_position: queuePosition,
  estimate_secs: estimateSecs,
});
export type SubmittedRun = Static<typeof SubmittedRun>;

const runFields = {
  run_id: runId,
  status: RunStatus,
  outcome: Type.Optional(Type.String({ description: 'how it ended: one of a closed list' })),
  queue_position: Type.Optional(queuePosition),
  estimate_secs: Type.Optional(estimateSecs),
  requested_model: Nullable(Type.String()),
  attempt: Type.Integer({ minimum: 0, description: 'how often it has been started' }),
  created_at: Time,
  started_at: TimeOrNull,
  ended_at: TimeOrNull,
  metadata: Type.Record(Type.String(), Type.String()),
};

export const RunItem = Type.Object({
  ...runFields,
  model: Type.Optional(Nullable(Type.String())),
  duration_ms: Type.Optional(Nullable(Milliseconds)),
  cost_usd: Type.Optional(Nullable(Type.Number())),
});
export type RunItem = Static<typeof RunItem>;

export const RunView = Type.Object({
  ...runFields,
  result: Type.Optional(result),
  result_kept: Type.Optional(
    Type.Literal(false, {
      description: 'the gateway keeps no text of this run (AUDIT_PROMPTS); its client had it',
    }),
  ),
  error: Type.Optional(ErrorObject),
  duration_ms: Type.Optional(Nullable(Milliseconds)),
  stop_reason: Type.Optional(Nullable(Type.String())),
  model: Type.Optional(Nullable(Type.String())),
  usage: Type.Optional(RunUsage),
  cost_usd: Type.Optional(Nullable(Type.Number())),
});
export type RunView = Static<typeof RunView>;

export const RunList = Type.Object({ items: Type.Array(RunItem), next: NextPage });
export type RunList = Static<typeof RunList>;

export const RunListQuery = Type.Object(
  {
    status: Type.Optional(RunStatus),
    limit: pageLimit,
    after: Type.Optional(Type.String({ pattern: '^run_[0-9a-z]{26}$' })),
  },
  { additionalProperties: false },
);

/** Any text: an id that cannot exist is simply not found. */
export const RunParams = Type.Object({ run_id: Type.String() });

export const RunWaitQuery = Type.Object(
  { wait: Type.Optional(Type.Number({ minimum: 0, maximum: 60 })) },
  { additionalProperties: false },
);

/** What `GET /me` says to an app of itself. */
export const AppSelf = Type.Object({
  name: Type.String(),
  token_expires_at: TimeOrNull,
  limits: Type.Object({
    models: Type.Array(Type.String()),
    default_model: Type.String(),
    max_concurrent: Type.Integer({ minimum: 1 }),
    max_queued: Count,
    timeout_secs_max: Type.Number(),
    files_quota_bytes: Count,
  }),
  queue: Type.Object({ running: Count, waiting: Count }),
  usage_24h: Type.Object({
    runs: Count,
    by_outcome: Type.Record(Type.String(), Count),
    input_tokens: Count,
    output_tokens: Count,
    cost_usd: Type.Number(),
  }),
  files: Type.Object({ count: Count, bytes: Count }),
  last_errors: Type.Array(
    Type.Object({
      run_id: runId,
      code: Type.String(),
      message: Nullable(Type.String()),
      at: Time,
    }),
    { description: 'newest first, of the last day' },
  ),
});
export type AppSelf = Static<typeof AppSelf>;

export const RunCancelled = Type.Object({ run_id: runId, status: RunStatus });
export type RunCancelled = Static<typeof RunCancelled>;
