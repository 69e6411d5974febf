// The end of a run that is open in the database while nothing executes it: its row, event, answer and audit row, as of any other.
import { readDraft } from './audit-draft.ts';
import { interruptedRetrySecs } from './outcome.ts';
import { answerOf } from './run-answer.ts';
import type { RunRecords } from './run-record.ts';
import { endOf } from './run-settlement.ts';
import type { EndedRunFacts } from './run-settlement.ts';
import type { RunStore, StoredRun } from './run-store.ts';

export type Closing = {
  outcome: 'interrupted' | 'cancelled';
  message: string;
  /** Processes that could not be ended. */
  survivors: number;
};

export type ClosingParts = {
  records: Pick<RunRecords, 'end'>;
  store: Pick<RunStore, 'auditDraftOf'>;
  /** For the log and the metrics. */
  onEnded?: (facts: EndedRunFacts) => void;
};

export async function closeRun(
  run: Pick<StoredRun, 'runSeq' | 'runId' | 'appName' | 'traceparent'>,
  { outcome, message, survivors }: Closing,
  { records, store, onEnded }: ClosingParts,
): Promise<void> {
  const draft = readDraft(store.auditDraftOf(run.runSeq) ?? '{"details":{}}');
  const { requestId } = draft;
  const retry = outcome === 'interrupted' ? { retryAfterSecs: interruptedRetrySecs } : {};
  const ended = { outcome, message, ...retry, finished: null };
  const end = endOf(ended, answerOf(run.runId, requestId, ended), 0);
  await records.end(run, { ...end, details: { message }, survivors });
  const { runId, appName: app, traceparent } = run;
  onEnded?.({ runId, app, address: draft.address ?? '', traceparent, ended, queueMs: 0 });
}
