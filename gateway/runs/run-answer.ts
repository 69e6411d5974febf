// The body of a successful POST /run.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { finalText } from '../claude/transcript.ts';
import { unwrapAnswer } from './answer.ts';
import type { FinishedRun } from './run-worker.ts';

const Count = Type.Integer({ minimum: 0 });

export const RunAnswer = Type.Object({
  ok: Type.Literal(true),
  run_id: Type.String(),
  result: Type.Unknown(),
  duration_ms: Count,
  stop_reason: Type.Union([Type.String(), Type.Null()]),
  model: Type.Union([Type.String(), Type.Null()]),
  usage: Type.Object({
    input_tokens: Count,
    output_tokens: Count,
    cache_creation_input_tokens: Count,
    cache_read_input_tokens: Count,
  }),
  cost_usd: Type.Number(),
});
export type RunAnswer = Static<typeof RunAnswer>;

export function answerOf(runId: string, finished: FinishedRun): RunAnswer {
  const { transcript, wantsSchema, durationMs } = finished;
  const { result } = transcript;
  return {
    ok: true,
    run_id: runId,
    result: wantsSchema ? result?.structured_output : unwrapAnswer(finalText(transcript)),
    duration_ms: durationMs,
    stop_reason: result?.stop_reason ?? null,
    model: transcript.model,
    usage: {
      input_tokens: result?.usage?.input_tokens ?? 0,
      output_tokens: result?.usage?.output_tokens ?? 0,
      cache_creation_input_tokens: result?.usage?.cache_creation_input_tokens ?? 0,
      cache_read_input_tokens: result?.usage?.cache_read_input_tokens ?? 0,
    },
    cost_usd: result?.total_cost_usd ?? 0,
  };
}
