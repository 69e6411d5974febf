// What apps ask of the gateway about runs, and what it answers.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import {
  AnyKey,
  Count,
  ErrorObject,
  NextPage,
  Nullable,
  pageLimit,
  Time,
  TimeOrNull,
} from './api-schema.ts';
import {
  answeringModel,
  costUsd,
  durationMs,
  endedRunExample,
  Metadata,
  placeFields,
  result,
  runId,
  sessionId,
  stopReason,
  usageExample,
} from './gateway-run-fields.ts';

const filesMax = 20;

export const RunRequest = Type.Object(
  {
    prompt: Type.String({
      minLength: 1,
      description: 'what to ask: up to 10 MB of UTF-8, not only white space',
      examples: ['Name three uses of a gatehouse.'],
    }),
    model: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        description: 'an alias or a full id; `GET /me` lists what the app may use',
        examples: ['sonnet'],
      }),
    ),
    system: Type.Optional(
      Type.String({ description: 'the system prompt', examples: ['Answer in one sentence.'] }),
    ),
    files: Type.Optional(
      Type.Array(
        Type.String({ maxLength: 200, examples: ['ff_3uZ1cTzq2m0Wk7rYb5vXhQnJ8sLd4aEf'] }),
        {
          maxItems: filesMax,
          description: 'tokens of uploaded files, put before the prompt in this order',
        },
      ),
    ),
    timeout_secs: Type.Optional(
      Type.Number({
        minimum: 1,
        description:
          'how long the run may take: 300 unless said, up to 3600; time in the queue does not count',
        examples: [120],
      }),
    ),
    effort: Type.Optional(
      Type.Enum(['low', 'medium', 'high', 'xhigh', 'max'], { description: 'how hard to think' }),
    ),
    max_turns: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description: 'the run ends as `max_turns` when it needs more',
        examples: [4],
      }),
    ),
    max_budget_usd: Type.Optional(
      Type.Number({
        minimum: 0.000001,
        maximum: 100_000,
        description: 'the run ends as `budget` when it costs more',
        examples: [0.5],
      }),
    ),
    json_schema: Type.Optional(
      Type.Object(
        { type: Type.Literal('object') },
        {
          additionalProperties: true,
          description: 'JSON Schema draft-07 that the answer must fit; its root is an object',
          examples: [{ type: 'object', properties: { uses: { type: 'array' } } }],
        },
      ),
    ),
    metadata: Type.Optional(Metadata),
    session_id: Type.Optional(
      Type.String({
        maxLength: 200,
        description:
          'the conversation it is the next run of; its system prompt, model and schema hold',
        examples: ['sess_01m7yjjfcksfhngdhy16rrxw3j'],
      }),
    ),
    on_interrupt: Type.Optional(
      Type.Enum(['fail', 'retry'], {
        description: 'what becomes of the run when the gateway stops in the middle of it',
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'RunRequest',
    description: 'what to ask, and within which limits',
    examples: [{ prompt: 'Name three uses of a gatehouse.' }],
  },
);
export type RunRequest = Static<typeof RunRequest>;

export const RunStatus = Type.Enum(['queued', 'starting', 'running', 'ended'], {
  title: 'RunStatus',
  description: 'where the run is; `outcome` says how it ended',
});
export type RunStatus = Static<typeof RunStatus>;

export const RunUsage = Type.Object(
  {
    input_tokens: Count,
    output_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
  },
  {
    title: 'RunUsage',
    description: 'tokens, as the API counted them',
    examples: [usageExample],
  },
);

const outcomeFields = {
  duration_ms: durationMs,
  stop_reason: Nullable(stopReason),
  model: Nullable(answeringModel),
  usage: RunUsage,
  cost_usd: costUsd,
};

const sessionFields = {
  session_id: Type.Optional(sessionId),
  session_reset: Type.Optional(
    Type.Literal(true, {
      description: 'what was said before is lost: the conversation began anew with this run',
    }),
  ),
};

export const RunAnswer = Type.Object(
  { ok: Type.Literal(true), run_id: runId, result, ...outcomeFields, ...sessionFields },
  { title: 'RunAnswer', description: 'the body of a completed POST /run' },
);
export type RunAnswer = Static<typeof RunAnswer>;

export const SubmittedRun = Type.Object(
  {
    run_id: runId,
    status: RunStatus,
    ...placeFields,
  },
  { title: 'SubmittedRun', description: 'a run that was accepted and is on its way' },
);
export type SubmittedRun = Static<typeof SubmittedRun>;

const runFields = {
  run_id: runId,
  session_id: sessionFields.session_id,
  status: RunStatus,
  outcome: Type.Optional(
    Type.String({
      description: 'how it ended: `completed` or an error code of the table in README',
      examples: ['completed'],
    }),
  ),
  queue_position: Type.Optional(placeFields.queue_position),
  estimate_secs: Type.Optional(placeFields.estimate_secs),
  waits_until: placeFields.waits_until,
  requested_model: Nullable(
    Type.String({ description: 'as the request named it', examples: ['sonnet'] }),
  ),
  attempt: Type.Integer({
    minimum: 0,
    description: 'how often it has been started',
    examples: [1],
  }),
  created_at: Time,
  started_at: TimeOrNull,
  ended_at: TimeOrNull,
  metadata: Type.Record(AnyKey, Type.String(), {
    description: 'as it came with the request',
    examples: [{ ticket: '4711' }],
  }),
};
export const RunItem = Type.Object(
  {
    ...runFields,
    model: Type.Optional(Nullable(answeringModel)),
    duration_ms: Type.Optional(Nullable(durationMs)),
    cost_usd: Type.Optional(Nullable(costUsd)),
  },
  { title: 'RunItem', description: 'a run in a list', examples: [endedRunExample] },
);
export type RunItem = Static<typeof RunItem>;

export const RunView = Type.Object(
  {
    ...runFields,
    result: Type.Optional(result),
    result_kept: Type.Optional(
      Type.Literal(false, {
        description: 'the gateway keeps no text of this run (AUDIT_PROMPTS); its client had it',
      }),
    ),
    session_reset: sessionFields.session_reset,
    error: Type.Optional(ErrorObject),
    duration_ms: Type.Optional(Nullable(durationMs)),
    stop_reason: Type.Optional(Nullable(stopReason)),
    model: Type.Optional(Nullable(answeringModel)),
    usage: Type.Optional(RunUsage),
    cost_usd: Type.Optional(Nullable(costUsd)),
  },
  {
    title: 'RunView',
    description: 'a run as it is now; `result` or `error` once it has ended',
    examples: [
      {
        ...endedRunExample,
        result: 'A gatehouse guards, lodges and welcomes.',
        stop_reason: 'end_turn',
        usage: usageExample,
      },
    ],
  },
);
export type RunView = Static<typeof RunView>;

export const RunList = Type.Object(
  { items: Type.Array(RunItem), next: NextPage },
  { title: 'RunList', description: 'a page of runs, newest first' },
);
export type RunList = Static<typeof RunList>;

export const RunListQuery = Type.Object(
  {
    status: Type.Optional(RunStatus),
    limit: pageLimit,
    after: Type.Optional(
      Type.String({
        pattern: '^run_[0-9a-z]{26}$',
        description: 'the `next` of the page before',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Any text: an id that cannot exist is simply not found. */
export const RunParams = Type.Object({ run_id: runId });

export const RunWaitQuery = Type.Object(
  {
    wait: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 60,
        description: 'how many seconds to wait for the end of the run before answering',
        examples: [20],
      }),
    ),
  },
  { additionalProperties: false },
);

export const RunCancelled = Type.Object(
  { run_id: runId, status: RunStatus },
  { title: 'RunCancelled', description: 'a run that is on its way to its end' },
);
export type RunCancelled = Static<typeof RunCancelled>;
