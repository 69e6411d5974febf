// What the gateway says about itself to whoever asks.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { Nullable } from './api-schema.ts';

export const HealthSummary = Type.Object(
  {
    ok: Type.Boolean({ description: 'whether runs can be expected to work', examples: [true] }),
    claude_present: Type.Boolean({ examples: [true] }),
    claude_version: Nullable(
      Type.String({
        description: 'the whole line of `claude --version`',
        examples: ['2.1.329 (Claude Code)'],
      }),
    ),
    authenticated: Type.Union([Type.Boolean(), Type.Literal('unknown')], {
      description: 'what runs have shown; `unknown` until one has',
      examples: [true],
    }),
    sandbox: Type.String({ description: 'the tier that runs get', examples: ['bwrap'] }),
  },
  { title: 'HealthSummary', description: 'how the gateway is, in short' },
);
export type HealthSummary = Static<typeof HealthSummary>;
