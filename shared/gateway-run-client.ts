// Runs at the gateway: started, waited for, watched, listed, cancelled.
import type { Clock } from './clock.ts';
import { createGatewayCalls } from './gateway-calls.ts';
import { checkOf, usualSilenceMs } from './gateway-connection.ts';
import type { GatewayConnection, GatewayRequest } from './gateway-connection.ts';
import { readRunEvents } from './gateway-event-reader.ts';
import type { RunEvent } from './gateway-event-reader.ts';
import { pathOfRun, withQuery } from './gateway-path.ts';
import { RunCancelled, RunList, RunView, SubmittedRun } from './gateway-run-api.ts';
import type { RunItem, RunRequest, RunStatus } from './gateway-run-api.ts';
import { createRunCall } from './gateway-run-call.ts';
import type { RunCall } from './gateway-run-call.ts';
import { streamRun } from './gateway-run-stream.ts';
import { newId } from './ids.ts';
import { itemsOfPages } from './item-pages.ts';
import type { Patience } from './retry-patience.ts';

export type CallOptions = { signal?: AbortSignal | undefined };

export type StartOptions = CallOptions & {
  /** Made anew unless it is given. Null sends none: there is one attempt, and the gateway cancels a run() that is left. */
  idempotencyKey?: string | null | undefined;
};

export type RunPage = CallOptions & {
  status?: RunStatus | undefined;
  limit?: number | undefined;
  after?: string | undefined;
};

export type RunClient = {
  /** Gives the answer. Leaving it early cancels the run, unless it has a key of the app's own. */
  run: RunCall;
  submit: (request: RunRequest, options?: StartOptions) => Promise<SubmittedRun>;
  /** With `waitSecs`, up to 60, it answers when the run has ended or so much later. */
  get: (
    runId: string,
    options?: CallOptions & { waitSecs?: number | undefined },
  ) => Promise<RunView>;
  /** Gives a run that has ended, well or not. */
  waitFor: (runId: string, options?: CallOptions) => Promise<RunView>;
  /** A page of them, newest first. */
  list: (page?: RunPage) => Promise<RunList>;
  /** All of them, fetched page by page of so many. */
  allRuns: (page?: Omit<RunPage, 'after'>) => AsyncGenerator<RunItem, void, undefined>;
  /** Fails with `conflict` when the run has ended before. */
  cancel: (runId: string, options?: CallOptions) => Promise<RunCancelled>;
  /** After that event, or all of them, to `run.completed` or `run.failed`. */
  events: (
    runId: string,
    options?: CallOptions & { after?: number | undefined },
  ) => AsyncGenerator<RunEvent, void, undefined>;
  /** Starts a run and gives its events. Leaving it early cancels the run, unless it has a key of the app's own. */
  stream: (
    request: RunRequest,
    options?: StartOptions,
  ) => AsyncGenerator<RunEvent, void, undefined>;
};

export type RunClientParts = {
  connection: GatewayConnection;
  newPatience: () => Patience;
  clock: Clock;
};

const checkSubmitted = checkOf(SubmittedRun);
const checkView = checkOf(RunView);
const checkList = checkOf(RunList);
const checkCancelled = checkOf(RunCancelled);

/** Proxies tend to give up after a minute. */
const longPollSecs = 50;
const pollsApartMs = 1000;
const callOffMs = 2000;

export function createRunClient(parts: RunClientParts): RunClient {
  const { connection, clock } = parts;
  const calls = createGatewayCalls(connection, parts.newPatience);

  const get: RunClient['get'] = (runId, { waitSecs, signal } = {}) => {
    const path = withQuery(pathOfRun(runId), { wait: waitSecs });
    const silenceMs = usualSilenceMs + (waitSecs ?? 0) * 1000;
    return calls.ask({ method: 'GET', path, signal, silenceMs }, checkView);
  };
  const waitFor: RunClient['waitFor'] = (runId, { signal } = {}) =>
    untilEnded(() => get(runId, { waitSecs: longPollSecs, signal }), clock, signal);
  const list: RunClient['list'] = ({ signal, ...query } = {}) =>
    calls.ask({ method: 'GET', path: withQuery('/runs', query), signal }, checkList);
  const submit: RunClient['submit'] = async (json, { signal, idempotencyKey } = {}) => {
    signal?.throwIfAborted();
    const key = idempotencyKey === undefined ? newId('key') : idempotencyKey;
    return calls.start({ method: 'POST', path: '/runs', json, signal }, checkSubmitted, key);
  };
  const events: RunClient['events'] = (runId, { after = 0, signal } = {}) =>
    readRunEvents(parts, { runId, after, signal });
  const callOff = async (runId: string): Promise<void> => {
    const request = { ...cancelRequest(runId), silenceMs: callOffMs };
    await connection.ask(request, checkCancelled).catch(() => {});
  };

  return {
    run: createRunCall({ ...parts, waitFor, callOff }),
    ...{ submit, get, waitFor, list, events },
    allRuns: (page) => itemsOfPages((after) => list({ ...page, after })),
    cancel(runId, { signal } = {}) {
      const isDone = { code: 'conflict', answer: { run_id: runId, status: 'ended' as const } };
      return calls.ask({ ...cancelRequest(runId), signal }, checkCancelled, isDone);
    },
    stream: (request, options = {}) => streamRun({ submit, events, callOff }, request, options),
  };
}

function cancelRequest(runId: string): GatewayRequest {
  return { method: 'POST', path: `${pathOfRun(runId)}/cancel` };
}

async function untilEnded(
  look: () => Promise<RunView>,
  clock: Clock,
  signal: AbortSignal | undefined,
): Promise<RunView> {
  for (;;) {
    const askedAt = clock.monotonicMs();
    const run = await look();
    if (run.status === 'ended') return run;
    // One that answers early, as a gateway that stops does, is not asked without a pause.
    const pauseMs = askedAt + pollsApartMs - clock.monotonicMs();
    if (pauseMs > 0) await clock.sleep(pauseMs, signal).catch(() => {});
    signal?.throwIfAborted();
  }
}
