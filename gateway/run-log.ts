// One line a run in the log; what was asked and answered stays in the audit log.
import type { Log } from '#shared/log.ts';

import type { EndedRunFacts } from './runs/run-settlement.ts';

export function logEndedRun(log: Log, facts: EndedRunFacts): void {
  const { runId, app, address, traceparent, ended, queueMs } = facts;
  const { outcome, message, finished } = ended;
  const phases = finished?.phases;
  log.info(
    {
      run_id: runId,
      app,
      address,
      outcome,
      ...(traceparent === null ? {} : { traceparent }),
      ...(message === null ? {} : { reason: message }),
      queue_ms: queueMs,
      ...(phases === undefined
        ? {}
        : {
            prepare_ms: phases.prepareMs,
            bind_ms: phases.bindMs,
            first_token_ms: phases.firstTokenMs,
          }),
      ...finished?.details,
    },
    'run ended',
  );
}
