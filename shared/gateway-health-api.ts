// What the gateway says about itself to whoever asks.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Nullable } from './api-schema.ts';

export const HealthSummary = Type.Object({
  ok: Type.Boolean(),
  claude_present: Type.Boolean(),
  claude_version: Nullable(Type.String()),
  authenticated: Type.Union([Type.Boolean(), Type.Literal('unknown')], {
    description: 'what runs have shown; `unknown` until one has',
  }),
  sandbox: Type.String(),
});
export type HealthSummary = Static<typeof HealthSummary>;
