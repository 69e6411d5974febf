// What an app asks for with POST /run.
import { Type } from 'typebox';
import type { Static } from 'typebox';

const metadataKeysMax = 16;
const filesMax = 20;

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
    metadata: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 512 }), {
        maxProperties: metadataKeysMax,
      }),
    ),
  },
  { additionalProperties: false },
);
export type RunRequest = Static<typeof RunRequest>;
