// A run that is started for its events: who stops reading them does not want it.
import { isLastRunEvent } from './gateway-event-api.ts';
import type { RunEvent } from './gateway-event-reader.ts';
import type { RunRequest } from './gateway-run-api.ts';
import type { RunClient, StartOptions } from './gateway-run-client.ts';

export type RunStreamParts = Pick<RunClient, 'submit' | 'events'> & {
  callOff: (runId: string) => Promise<void>;
};

export async function* streamRun(
  { submit, events, callOff }: RunStreamParts,
  request: RunRequest,
  options: StartOptions,
): AsyncGenerator<RunEvent, void, undefined> {
  const { run_id: runId } = await submit(request, options);
  // Under a key of the app's own it goes on, and the key fetches it.
  let isUnwanted = options.idempotencyKey === undefined;
  try {
    for await (const event of events(runId, { signal: options.signal })) {
      if (isLastRunEvent(event.type)) isUnwanted = false;
      yield event;
    }
  } catch (err) {
    // Whoever lost the events may come back for them with the id of the run.
    if (options.signal?.aborted !== true) isUnwanted = false;
    throw err;
  } finally {
    if (isUnwanted) await callOff(runId);
  }
}
