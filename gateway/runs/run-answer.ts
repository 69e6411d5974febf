// How a run ended, as POST /run answers it: status and body. What is stored, replayed and streamed is this same text.
import { AppError } from '#shared/errors.ts';
import type { ErrorDetails } from '#shared/errors.ts';
import type { RunAnswer } from '#shared/gateway-run-api.ts';
import { errorBody } from '#shared/http-error-answer.ts';

import { finalText } from '../claude/transcript.ts';
import { unwrapAnswer } from './answer.ts';
import { outcomeError, outcomes } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { StoredAnswer } from './run-store.ts';
import type { FinishedRun } from './run-worker.ts';

export type EndedRun = {
  outcome: Outcome;
  /** Null for a completed run. */
  message: string | null;
  retryAfterSecs?: number | undefined;
  details?: ErrorDetails | undefined;
  /** Null for one that never had a process. */
  finished: FinishedRun | null;
};

export function answerOf(runId: string, requestId: string, ended: EndedRun): StoredAnswer {
  const { outcome, finished } = ended;
  const { statusCode } = outcomes[outcome];
  if (outcome === 'completed') {
    if (finished === null) throw new Error('a run was completed without an execution');
    return { statusCode, body: JSON.stringify(successBody(runId, finished)) };
  }
  return { statusCode, body: errorBody({ ok: false }, errorOf(runId, ended), requestId) };
}

/** Of a run that was not completed. */
export function errorOf(runId: string, ended: EndedRun): AppError {
  const { outcome, message, retryAfterSecs, details } = ended;
  if (outcome === 'completed') throw new Error('a completed run has no error');
  return new AppError(outcomeError(outcome), message ?? outcome, {
    ...{ runId, retryAfterSecs, details },
  });
}

function successBody(runId: string, finished: FinishedRun): RunAnswer {
  const { transcript, wantsSchema, phases, session } = finished;
  const { result, model, spend } = transcript;
  return {
    ok: true,
    run_id: runId,
    result: wantsSchema ? result?.structured_output : unwrapAnswer(finalText(transcript)),
    duration_ms: phases.durationMs,
    stop_reason: result?.stop_reason ?? null,
    model,
    usage: {
      input_tokens: spend?.inputTokens ?? 0,
      output_tokens: spend?.outputTokens ?? 0,
      cache_creation_input_tokens: spend?.cacheCreationTokens ?? 0,
      cache_read_input_tokens: spend?.cacheReadTokens ?? 0,
    },
    cost_usd: spend?.costUsd ?? 0,
    ...(session === null ? {} : { session_id: session.sessionId }),
    ...(session?.isReset === true ? { session_reset: true } : {}),
  };
}

/** The same without what the model said: for a run whose text is not to be kept. */
export function withoutResult({ statusCode, body }: StoredAnswer): StoredAnswer {
  const { result: _result, ...rest }: { result?: unknown } = JSON.parse(body);
  return { statusCode, body: JSON.stringify(rest) };
}
