import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Nullable } from '#shared/api-schema.ts';

const tenYearsSecs = 315_360_000;
const thirtyDaysSecs = 2_592_000;

const Time = Type.String();
const TimeOrNull = Type.Union([Time, Type.Null()]);

const ipCidrs = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 100 });
const models = Type.Array(Type.String({ maxLength: 130 }), { minItems: 1, maxItems: 100 });
const maxConcurrent = Type.Integer({ minimum: 1, maximum: 1000 });
const timeoutSecsMax = Type.Integer({ minimum: 1 });
const maxQueued = Type.Integer({ minimum: 0, maximum: 100_000 });

export const MintRequest = Type.Object(
  {
    name: Type.String({ pattern: '^[a-z0-9._-]{1,64}$' }),
    ip_cidrs: Type.Optional(ipCidrs),
    models: Type.Optional(models),
    max_concurrent: Type.Optional(maxConcurrent),
    timeout_secs_max: Type.Optional(timeoutSecsMax),
    max_queued: Type.Optional(maxQueued),
    expires_in_secs: Type.Optional(Type.Integer({ minimum: 60, maximum: tenYearsSecs })),
  },
  { additionalProperties: false },
);
export type MintRequest = Static<typeof MintRequest>;

/** What is not there stays as it is; null takes the app's own limit away. */
export const ChangeRequest = Type.Object(
  {
    ip_cidrs: Type.Optional(ipCidrs),
    models: Type.Optional(Nullable(models)),
    max_concurrent: Type.Optional(Nullable(maxConcurrent)),
    timeout_secs_max: Type.Optional(Nullable(timeoutSecsMax)),
    max_queued: Type.Optional(Nullable(maxQueued)),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type ChangeRequest = Static<typeof ChangeRequest>;

export const defaultOverlapSecs = 3600;

export const RotateRequest = Type.Object(
  {
    overlap_secs: Type.Integer({
      minimum: 0,
      maximum: thirtyDaysSecs,
      default: defaultOverlapSecs,
    }),
  },
  { additionalProperties: false },
);

export const IssuedTokenAnswer = Type.Object({
  name: Type.String(),
  token: Type.String(),
  ip_cidrs: Type.Array(Type.String()),
  created_at: Time,
  expires_at: TimeOrNull,
});
export type IssuedTokenAnswer = Static<typeof IssuedTokenAnswer>;

/** Any text: a name that cannot exist is simply not found. */
export const NameParams = Type.Object({ name: Type.String() });

export const TokenListQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    after: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$' })),
  },
  { additionalProperties: false },
);

export const TokenItem = Type.Object({
  name: Type.String(),
  ip_cidrs: Type.Array(Type.String()),
  models: Type.Union([Type.Array(Type.String()), Type.Null()]),
  max_concurrent: Type.Union([Type.Integer(), Type.Null()]),
  timeout_secs_max: Type.Union([Type.Integer(), Type.Null()]),
  max_queued: Type.Union([Type.Integer(), Type.Null()]),
  created_at: Time,
  expires_at: TimeOrNull,
  last_used_at: TimeOrNull,
  last_used_ip: Type.Union([Type.String(), Type.Null()]),
});
export type TokenItem = Static<typeof TokenItem>;

export const TokenListAnswer = Type.Object({
  items: Type.Array(TokenItem),
  next: Type.Union([Type.String(), Type.Null()]),
});
