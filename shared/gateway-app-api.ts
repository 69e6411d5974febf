// What the gateway says to an app of itself.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Count, Nullable, Time, TimeOrNull } from './api-schema.ts';
import { limitFields } from './gateway-limit-api.ts';
import { runId } from './gateway-run-fields.ts';

const Limits = Type.Object(
  {
    models: Type.Array(Type.String({ examples: ['sonnet'] }), {
      description: 'which it may use: names, or patterns with a `*`',
    }),
    default_model: Type.String({ examples: ['sonnet'] }),
    max_concurrent: Type.Integer({
      minimum: 1,
      description: 'how many of its runs may run at a time',
      examples: [2],
    }),
    max_queued: Type.Integer({
      minimum: 0,
      description: 'how many of its runs may wait',
      examples: [16],
    }),
    timeout_secs_max: Type.Number({
      description: 'the highest `timeout_secs` of a run',
      examples: [3600],
    }),
    workspaces: Type.Array(
      Type.Object({
        name: Type.String({ examples: ['notes'] }),
        mode: Type.Enum(['ro', 'rw'], { description: 'for reading only, or for writing as well' }),
      }),
      { description: 'directories of the host that a session of it may work in' },
    ),
    files_quota_bytes: Type.Integer({
      minimum: 0,
      description: 'how much its files may be together',
      examples: [268_435_456],
    }),
  },
  { description: 'what the app may do' },
);

const Usage = Type.Object(
  {
    runs: Type.Integer({ minimum: 0, examples: [3] }),
    by_outcome: Type.Record(Type.String(), Count, {
      description: 'runs by how they ended',
      examples: [{ completed: 2, timeout_total: 1 }],
    }),
    input_tokens: Type.Integer({ minimum: 0, examples: [300] }),
    output_tokens: Type.Integer({ minimum: 0, examples: [60] }),
    cost_usd: Type.Number({ examples: [0.0012] }),
  },
  { description: 'of the last day' },
);

const LastError = Type.Object({
  run_id: runId,
  code: Type.String({ examples: ['timeout_total'] }),
  message: Nullable(Type.String({ examples: ['The run was not done within its timeout_secs.'] })),
  at: Time,
});

export const AppSelf = Type.Object(
  {
    name: Type.String({ examples: ['my-app'] }),
    token_expires_at: TimeOrNull,
    limits: Limits,
    queue: Type.Object({ running: Count, waiting: Count }, { description: 'its runs right now' }),
    subscription: Type.Object(limitFields, {
      description: 'how the limits that all apps share stand',
    }),
    usage_24h: Usage,
    files: Type.Object({ count: Count, bytes: Count }, { description: 'what it has uploaded' }),
    // A client may ask a gateway that is older than it is.
    gateway_version: Type.Optional(
      Type.String({ description: 'of the gateway that answers', examples: ['0.1.0'] }),
    ),
    last_errors: Type.Array(LastError, { description: 'newest first, of the last day' }),
  },
  { title: 'AppSelf', description: 'an app as the gateway knows it' },
);
export type AppSelf = Static<typeof AppSelf>;
