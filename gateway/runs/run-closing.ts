// The end of a run that is open in the database while nothing executes it: its row, event, answer and audit row, as of any other.
import { readDraft } from './audit-draft.ts';
import { interruptedRetrySecs } from './outcome.ts';
import { answerOf } from './run-answer.ts';
import type { RunRecords } from './run-record.ts';
import { endOf } from './run-settlement.ts';
import type { RunStore, StoredRun } from './run-store.ts';

export type Closing = {
  outcome: 'interrupted' | 'cancelled';
  message: string;
  /** Processes that could not be ended. */
  survivors: number;
};

export async function closeRun(
  run: Pick<StoredRun, 'runSeq' | 'runId'>,
  { outcome, message, survivors }: Closing,
  { records, store }: { records: Pick<RunRecords, 'end'>; store: Pick<RunStore, 'auditDraftOf'> },
): Promise<void> {
  const { requestId } = readDraft(store.auditDraftOf(run.runSeq) ?? '{"details":{}}');
  const retry = outcome === 'interrupted' ? { retryAfterSecs: interruptedRetrySecs } : {};
  const ended = { outcome, message, ...retry, finished: null };
  const end = endOf(ended, answerOf(run.runId, requestId, ended), 0);
  await records.end(run, { ...end, details: { message }, survivors });
}
