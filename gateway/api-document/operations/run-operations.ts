import { failedOutcomes } from '../failures.ts';
import type { GatewayOperations } from '../gateway-operations.ts';
import { runEventStream } from '../run-event-stream.ts';

const keyErrors = ['conflict', 'idempotency_mismatch'] as const;
const queueErrors = ['app_busy', 'queue_full'] as const;

export const runOperations: GatewayOperations = {
  'POST /run': {
    id: 'run',
    tag: 'runs',
    summary: 'Run a prompt and wait for the answer',
    description: [
      'Every way in which a run can end has its own error code; 200 means that there is an answer.',
      'A run may take its whole `timeout_secs`, and longer when it waits in the queue.',
      'When the client hangs up, its run is cancelled, unless the request carried an `Idempotency-Key`: then the key fetches the answer.',
      'With `Accept: text/event-stream` the answer is the stream of events of the run, and 200 does not say how it ended: the last event does.',
    ].join('\n\n'),
    answers: {
      200: {
        description: 'The run has completed; or its events, for whoever accepts them.',
        headers: ['Idempotent-Replayed'],
        stream: runEventStream.media,
      },
      202: {
        description: 'The run was accepted; for a request with `Prefer: respond-async`.',
        headers: ['Location', 'Preference-Applied', 'Idempotent-Replayed'],
      },
    },
    headers: ['Idempotency-Key', 'Prefer', 'traceparent'],
    errors: ['not_found', ...keyErrors, ...queueErrors, ...failedOutcomes],
  },
  'POST /runs': {
    id: 'submitRun',
    tag: 'runs',
    summary: 'Start a run without waiting for it',
    description:
      'The run goes on whatever becomes of the client. `waits_until` says that the subscription has reached its limit and when the run can start. Read it with `GET /runs/{run_id}` or its events, for 24 hours after its end.',
    answers: {
      202: {
        description: 'The run was accepted: it starts or waits in the queue.',
        headers: ['Location', 'Idempotent-Replayed'],
      },
    },
    headers: ['Idempotency-Key', 'traceparent'],
    errors: ['not_found', ...keyErrors, ...queueErrors, 'auth', 'disk_full'],
  },
  'GET /runs': {
    id: 'listRuns',
    tag: 'runs',
    summary: 'List the runs of the app, newest first',
    answers: { 200: { description: 'A page of runs.' } },
  },
  'GET /runs/{run_id}': {
    id: 'getRun',
    tag: 'runs',
    summary: 'Read a run, or wait for its end',
    description:
      'With `wait` the answer comes when the run has ended, or after that many seconds with the run as it is then.',
    answers: { 200: { description: 'The run as it is now.' } },
    errors: ['not_found'],
  },
  'POST /runs/{run_id}/cancel': {
    id: 'cancelRun',
    tag: 'runs',
    summary: 'End a run',
    description:
      'Within a second its process is gone. A run that is being cancelled takes it again.',
    answers: { 202: { description: 'The run is on its way to its end.' } },
    errors: ['not_found', 'conflict'],
  },
  'GET /runs/{run_id}/events': {
    id: 'readRunEvents',
    tag: 'runs',
    summary: 'Read the events of a run, from the beginning or from where one left off',
    description: [
      'Server-sent events: `event:` is the type, `id:` the number of the event in its run, `data:` its JSON.',
      'A reader that lost the connection comes back with `Last-Event-ID` and misses nothing.',
      runEventStream.list,
    ].join('\n\n'),
    answers: {
      200: { description: 'The events until the end of the run.', stream: runEventStream.media },
      204: { description: 'The run has ended and the reader has its last event.' },
    },
    headers: ['Last-Event-ID'],
    errors: ['not_found', 'gone', 'app_busy'],
  },
  'GET /me': {
    id: 'getApp',
    tag: 'runs',
    summary: 'What the app may do, has done and waits for',
    answers: { 200: { description: 'The app as the gateway knows it.' } },
  },
};
