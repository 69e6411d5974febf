import { Type } from 'typebox';
import type { Static } from 'typebox';

import { NextPage, Nullable, pageLimit, Time, TimeOrNull } from '#shared/api-schema.ts';

const tenYearsSecs = 315_360_000;
const thirtyDaysSecs = 2_592_000;

const ipCidrs = Type.Array(Type.String({ maxLength: 64, examples: ['192.168.0.0/24'] }), {
  maxItems: 100,
  description: 'the addresses that the app may come from, within those of the gateway; none is any',
});
const models = Type.Array(Type.String({ maxLength: 130, examples: ['sonnet'] }), {
  minItems: 1,
  maxItems: 100,
  description: 'which of the allowed models the app may use',
});
const maxConcurrent = Type.Integer({
  minimum: 1,
  maximum: 1000,
  description: 'how many of its runs may run at a time',
  examples: [2],
});
const timeoutSecsMax = Type.Integer({
  minimum: 1,
  description: 'the highest `timeout_secs` of its runs',
  examples: [600],
});
const maxQueued = Type.Integer({
  minimum: 0,
  maximum: 100_000,
  description: 'how many of its runs may wait',
  examples: [16],
});

const workspaces = Type.Array(Type.String({ maxLength: 64, examples: ['notes'] }), {
  maxItems: 100,
  uniqueItems: true,
  description:
    'names of the workspaces that it may use, of those in the file `WORKSPACES`; without it none',
});

const appName = Type.String({ description: 'of the app', examples: ['my-app'] });

export const MintRequest = Type.Object(
  {
    name: Type.String({
      pattern: '^[a-z0-9._-]{1,64}$',
      description: 'of the app: 1 to 64 of `a-z 0-9 . _ -`',
      examples: ['my-app'],
    }),
    ip_cidrs: Type.Optional(ipCidrs),
    models: Type.Optional(models),
    max_concurrent: Type.Optional(maxConcurrent),
    timeout_secs_max: Type.Optional(timeoutSecsMax),
    max_queued: Type.Optional(maxQueued),
    workspaces: Type.Optional(Nullable(workspaces)),
    expires_in_secs: Type.Optional(
      Type.Integer({
        minimum: 60,
        maximum: tenYearsSecs,
        description: 'when the token ends; without it never',
        examples: [2_592_000],
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'MintRequest',
    description: 'an app to be, with its own limits',
    examples: [{ name: 'my-app', ip_cidrs: ['127.0.0.0/8'], max_concurrent: 2 }],
  },
);
export type MintRequest = Static<typeof MintRequest>;

export const ChangeRequest = Type.Object(
  {
    ip_cidrs: Type.Optional(ipCidrs),
    models: Type.Optional(Nullable(models)),
    max_concurrent: Type.Optional(Nullable(maxConcurrent)),
    timeout_secs_max: Type.Optional(Nullable(timeoutSecsMax)),
    max_queued: Type.Optional(Nullable(maxQueued)),
    workspaces: Type.Optional(Nullable(workspaces)),
  },
  {
    additionalProperties: false,
    minProperties: 1,
    title: 'ChangeRequest',
    description: 'what is not there stays as it is; null takes the own limit of the app away',
    examples: [{ max_concurrent: 3, models: null }],
  },
);
export type ChangeRequest = Static<typeof ChangeRequest>;

export const defaultOverlapSecs = 3600;

export const RotateRequest = Type.Object(
  {
    overlap_secs: Type.Integer({
      minimum: 0,
      maximum: thirtyDaysSecs,
      default: defaultOverlapSecs,
      description: 'how long the old token goes on working; 0 when it has leaked',
    }),
  },
  { additionalProperties: false, title: 'RotateRequest', description: 'how to change tokens' },
);

export const IssuedTokenAnswer = Type.Object(
  {
    name: appName,
    token: Type.String({
      description: 'shown this once',
      examples: ['cf_an-example-of-a-token-that-works-nowhere'],
    }),
    ip_cidrs: Type.Array(Type.String({ examples: ['192.168.0.0/24'] })),
    created_at: Time,
    expires_at: TimeOrNull,
  },
  { title: 'IssuedToken', description: 'a new token' },
);
export type IssuedTokenAnswer = Static<typeof IssuedTokenAnswer>;

/** Any text: a name that cannot exist is simply not found. */
export const NameParams = Type.Object({ name: appName });

export const TokenListQuery = Type.Object(
  {
    limit: pageLimit,
    after: Type.Optional(
      Type.String({ pattern: '^[0-9]{1,15}$', description: 'the `next` of the page before' }),
    ),
  },
  { additionalProperties: false },
);

export const TokenItem = Type.Object(
  {
    name: appName,
    ip_cidrs: Type.Array(Type.String({ examples: ['192.168.0.0/24'] })),
    models: Nullable(Type.Array(Type.String({ examples: ['sonnet'] }))),
    max_concurrent: Nullable(Type.Integer({ examples: [2] })),
    timeout_secs_max: Nullable(Type.Integer({ examples: [600] })),
    max_queued: Nullable(Type.Integer({ examples: [16] })),
    workspaces: Type.Array(Type.String({ examples: ['notes'] })),
    created_at: Time,
    expires_at: TimeOrNull,
    last_used_at: TimeOrNull,
    last_used_ip: Nullable(Type.String({ examples: ['192.168.0.7'] })),
  },
  { title: 'TokenItem', description: 'an app and its own limits; null where it has none' },
);
export type TokenItem = Static<typeof TokenItem>;

export const TokenListAnswer = Type.Object(
  { items: Type.Array(TokenItem), next: NextPage },
  { title: 'TokenList', description: 'a page of apps, newest first' },
);
