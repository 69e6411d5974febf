// What an app asks for with POST /run.
import { Type } from 'typebox';
import type { Static } from 'typebox';

const metadataKeysMax = 16;
const filesMax = 20;

/** Written out: a TypeBox record drops the limits of its keys. They go into the audit log, which nobody can shrink. */
const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  maxProperties: metadataKeysMax,
  propertyNames: { minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}\\u2028\\u2029]*$' },
  additionalProperties: { type: 'string', maxLength: 512 },
});

export const RunRequest = Type.Object(
  {
    prompt: Type.String({ minLength: 1 }),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    system: Type.Optional(Type.String()),
    files: Type.Optional(Type.Array(Type.String({ maxLength: 200 }), { maxItems: filesMax })),
    timeout_secs: Type.Optional(Type.Number({ minimum: 1 })),
    effort: Type.Optional(Type.Enum(['low', 'medium', 'high', 'xhigh', 'max'])),
    max_turns: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    max_budget_usd: Type.Optional(Type.Number({ minimum: 0.000001, maximum: 100_000 })),
    json_schema: Type.Optional(
      Type.Object({ type: Type.Literal('object') }, { additionalProperties: true }),
    ),
    metadata: Type.Optional(Metadata),
  },
  { additionalProperties: false },
);
export type RunRequest = Static<typeof RunRequest>;
