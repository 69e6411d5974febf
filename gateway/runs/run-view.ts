// A run as its app sees it, and as the operator does.
import type { ErrorObject } from '#shared/api-schema.ts';
import { isoTime } from '#shared/clock.ts';
import type { RunItem, RunView } from '#shared/gateway-run-api.ts';

import type { QueueOutlook } from '../queue/run-queue.ts';
import type { StoredAnswer, StoredRun } from './run-store.ts';

type Answered = Partial<
  Pick<RunView, 'result' | 'session_reset' | 'stop_reason' | 'usage' | 'cost_usd'>
> & {
  error?: ErrorObject;
};

/** @param outlook of a run that waits. @param answer of one that has ended. */
export function viewOf(
  run: StoredRun,
  outlook: QueueOutlook | null,
  answer: StoredAnswer | null,
): RunView {
  const { result, session_reset, stop_reason, usage, cost_usd, error }: Answered =
    answer === null ? {} : JSON.parse(answer.body);
  return {
    ...itemOf(run, outlook),
    ...(result === undefined ? {} : { result }),
    ...(run.outcome === 'completed' && result === undefined ? { result_kept: false as const } : {}),
    ...(session_reset === undefined ? {} : { session_reset }),
    ...(error === undefined ? {} : { error }),
    ...(stop_reason === undefined ? {} : { stop_reason }),
    ...(usage === undefined ? {} : { usage }),
    ...(cost_usd === undefined ? {} : { cost_usd }),
  };
}

export function itemOf(run: StoredRun, outlook: QueueOutlook | null): RunItem {
  const { outcome, model, durationMs, costMicroUsd } = run;
  return {
    run_id: run.runId,
    ...(run.sessionId === null ? {} : { session_id: run.sessionId }),
    status: run.state,
    ...(outcome === null ? {} : { outcome }),
    ...(outlook === null ? {} : outlookFields(outlook)),
    requested_model: run.requestedModel,
    attempt: run.attempt,
    created_at: run.createdAt,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    metadata: JSON.parse(run.metadata),
    ...(outcome === null
      ? {}
      : {
          model,
          duration_ms: durationMs,
          cost_usd: costMicroUsd === null ? null : costMicroUsd / 1e6,
        }),
  };
}

export function outlookFields({ position, estimateSecs, waitsUntil }: QueueOutlook) {
  return {
    queue_position: position,
    estimate_secs: estimateSecs,
    ...(waitsUntil === null ? {} : { waits_until: isoTime(waitsUntil) }),
  };
}
