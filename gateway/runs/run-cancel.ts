// An app, or the operator, wants a run to end. It is written down first: a gateway that is killed meanwhile does not start it again.
import { requestError } from '#shared/errors.ts';

import type { RunRecords } from './run-record.ts';
import type { RunService } from './run-service.ts';
import type { StoredRun } from './run-store.ts';

/** Resolves when the run is on its way to its end. Throws `conflict` for one that has ended. */
export type RunCancel = (run: StoredRun, by?: CancelledBy) => Promise<void>;

/** The operator, whose doings are audited. */
export type CancelledBy = { byAdminAt: string };

export function createRunCancel(
  records: Pick<RunRecords, 'askCancel'>,
  runs: Pick<RunService, 'stop'>,
): RunCancel {
  return async (run, by) => {
    if (run.state === 'ended') throw hasEnded(run.runId);
    if (!run.isCancelAsked) await records.askCancel(run, by?.byAdminAt ?? null);
    runs.stop(run.runId, 'cancelled', by === undefined ? undefined : byOperator);
  };
}

const byOperator = 'The run was cancelled by the operator.';

function hasEnded(runId: string): Error {
  return requestError('conflict', 'the run has ended already', { runId });
}
