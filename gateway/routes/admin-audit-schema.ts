import { Type } from 'typebox';

import { NextPage, Nullable, pageLimit, Time } from '#shared/api-schema.ts';

const filter = (description: string, example: string) =>
  Type.Optional(Type.String({ maxLength: 64, description, examples: [example] }));

export const AuditListQuery = Type.Object(
  {
    app: filter('only rows of this app', 'my-app'),
    outcome: filter('only runs that ended so', 'completed'),
    action: filter('only rows of this kind', 'run'),
    since: filter('from this date or time with its zone on', '2026-01-31T12:00:00Z'),
    until: filter('up to this date or time with its zone', '2026-02-28'),
    limit: pageLimit,
    after: Type.Optional(
      Type.String({ maxLength: 64, description: 'the `next` of the page before' }),
    ),
  },
  { additionalProperties: false },
);

const AuditItem = Type.Object(
  {
    seq: Type.Integer({ description: 'the number of the row', examples: [42] }),
    at: Time,
    action: Type.String({ examples: ['run'] }),
    app: Nullable(Type.String({ examples: ['my-app'] })),
    address: Nullable(Type.String({ examples: ['192.168.0.7'] })),
    outcome: Nullable(Type.String({ examples: ['completed'] })),
    run_id: Nullable(Type.String({ examples: ['run_01m7yjjfcksfhngdhy16rrxw3j'] })),
    prompt: Nullable(
      Type.String({
        description: 'whole, in part, or as a hash: see AUDIT_PROMPTS',
        examples: ['Name three uses of a gatehouse.'],
      }),
    ),
    prompt_chars: Nullable(Type.Integer({ description: 'of the whole prompt', examples: [31] })),
    prompt_truncated: Type.Boolean({ examples: [false] }),
    details: Type.Record(Type.String(), Type.Any(), {
      description: 'what else is known of it',
      examples: [{ request_id: 'req_01m7yjjfcksfhngdhy16rrxw3j', model: 'sonnet' }],
    }),
    hash: Type.String({
      description: 'chains the row to the one before it',
      examples: ['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'],
    }),
  },
  { title: 'AuditItem', description: 'a run or an admin action' },
);

export const AuditListAnswer = Type.Object(
  { items: Type.Array(AuditItem), next: NextPage },
  { title: 'AuditList', description: 'a page of audit rows, newest first' },
);
