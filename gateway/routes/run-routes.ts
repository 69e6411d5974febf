// Starting runs: POST /run waits for the answer, POST /runs does not.
import type { FastifyReply } from 'fastify';

import { clientGoneSignal } from '#shared/client-gone.ts';
import { AppError, requestError } from '#shared/errors.ts';
import { RunAnswer, RunRequest, SubmittedRun } from '#shared/gateway-run-api.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { inProgress } from '#shared/idempotency-key.ts';
import { replayed, sendAnswer } from '#shared/stored-answer.ts';

import type { Door } from '../access/door.ts';
import type {
  FirstAnswer,
  IdempotencyKeys,
  KeyedRequest,
} from '../idempotency/idempotency-keys.ts';
import type { RunInquiry } from '../runs/run-inquiry.ts';
import type { AcceptedRun } from '../runs/run-intake.ts';
import type { RunService, SubmittedCall } from '../runs/run-service.ts';
import type { StoredAnswer } from '../runs/run-store.ts';
import { outlookFields } from '../runs/run-view.ts';
import type { RunEventStreams } from './run-event-streams.ts';
import { keyedRequestOf, prefersAsync, runCallOf, wantsEvents } from './run-submission.ts';
import type { RunPost } from './run-submission.ts';

export type RunRouteOptions = {
  runs: RunService;
  inquiry: RunInquiry;
  keys: IdempotencyKeys;
  streams: RunEventStreams;
  door: Door;
  bodyLimitBytes: number;
};

export async function runRoutes(app: HttpApp, options: RunRouteOptions): Promise<void> {
  const route = { config: { guard: 'app' }, bodyLimit: options.bodyLimitBytes } as const;

  app.post(
    '/run',
    { ...route, schema: { body: RunRequest, response: { 200: RunAnswer, 202: SubmittedRun } } },
    async (request, reply) => {
      const { appId } = options.door.appOf(request);
      const keyed = keyedRequestOf(request, '/run', appId);
      if (prefersAsync(request)) {
        reply.header('preference-applied', 'respond-async');
        return submitDetached(options, request, reply, keyed);
      }
      const first = keyed === null ? null : options.keys.recall(keyed);
      if (first !== null) return replay(options, request, reply, first);
      return execute(options, request, reply, keyed);
    },
  );

  app.post(
    '/runs',
    { ...route, schema: { body: RunRequest, response: { 202: SubmittedRun } } },
    async (request, reply) => {
      const { appId } = options.door.appOf(request);
      return submitDetached(options, request, reply, keyedRequestOf(request, '/runs', appId));
    },
  );
}

/** Starts the run and answers with its end, or with its events until then. */
async function execute(
  options: RunRouteOptions,
  request: RunPost,
  reply: FastifyReply,
  keyed: KeyedRequest | null,
): Promise<FastifyReply> {
  const { runs, streams } = options;
  const isStreamed = wantsEvents(request);
  if (isStreamed) streams.admit(request);
  const clientGone = clientGoneSignal(reply);
  const submitted = await submit(options, request, keyed, isStreamed);
  const stopRun = (): void => {
    if (keyed === null) runs.stop(submitted.runId, 'client_gone');
  };
  if (clientGone.aborted) stopRun();
  if (isStreamed) {
    const opening = { ...submitted, after: 0, endsWhenStopping: keyed !== null };
    // A reader that we drop can come back: its run goes on.
    streams.open(request, reply, opening).left.addEventListener('abort', stopRun, { once: true });
    return reply;
  }
  clientGone.addEventListener('abort', stopRun, { once: true });
  return sendAnswer(reply, await answerOf(submitted));
}

async function submit(
  { runs, door }: RunRouteOptions,
  request: RunPost,
  keyed: KeyedRequest | null,
  isStreamed: boolean,
): Promise<SubmittedCall> {
  const how = { isDetached: keyed !== null, isStreamed, isAwaited: !isStreamed };
  const submitted = await runs.submit({ ...runCallOf(request, door), keyed, ...how });
  // Up to ten megabytes that nobody needs any more while the run waits.
  Object.assign(request, { body: null });
  return submitted;
}

async function answerOf({ runId, ending }: SubmittedCall): Promise<StoredAnswer> {
  const end = await ending;
  switch (end?.kind) {
    case 'answered':
      return end.answer;
    case 'failed':
      throw end.err instanceof AppError ? end.err.ofRun(runId) : end.err;
    case 'parked':
    case undefined:
      throw requestError(
        'draining',
        'the gateway is stopping: the run waits for its next start, ask again with the same key',
        { runId, retryAfterSecs: 5 },
      );
  }
}

async function submitDetached(
  options: RunRouteOptions,
  request: RunPost,
  reply: FastifyReply,
  keyed: KeyedRequest | null,
): Promise<FastifyReply> {
  const { runs, keys, door } = options;
  const recall = (): FirstAnswer | null => (keyed === null ? null : keys.recall(keyed));
  const first = recall();
  if (first !== null) return replayAccepted(options, request, reply, first);
  try {
    const accepted = await runs.submit({
      ...{ ...runCallOf(request, door), keyed },
      ...{ isDetached: true, isStreamed: false, isAwaited: false },
      firstAnswer: acceptedAnswer,
    });
    return sendAccepted(reply, accepted.runId, acceptedAnswer(accepted));
  } catch (err) {
    // The same request at the same time was quicker.
    const quicker = isConflict(err) ? recall() : null;
    if (quicker === null) throw err;
    return replayAccepted(options, request, reply, quicker);
  }
}

function isConflict(err: unknown): boolean {
  return err instanceof AppError && err.code === 'conflict';
}

function replayAccepted(
  { inquiry, door }: RunRouteOptions,
  request: RunPost,
  reply: FastifyReply,
  first: FirstAnswer,
): FastifyReply {
  if (first.kind === 'answer') return sendAccepted(replayed(reply), runIdIn(first.body), first);
  // It was asked for with the wish to wait before; it is the same run.
  const run = inquiry.find(door.appOf(request).appId, first.runId);
  const {
    status = 'ended',
    queue_position = 0,
    estimate_secs = 0,
    waits_until,
  } = run === null ? {} : inquiry.view(run);
  const body: SubmittedRun = {
    ...{ run_id: first.runId, status, queue_position, estimate_secs },
    ...(waits_until === undefined ? {} : { waits_until }),
  };
  const answer = { statusCode: 202, body: JSON.stringify(body) };
  return sendAccepted(replayed(reply), first.runId, answer);
}

function runIdIn(body: string): string {
  const { run_id: runId }: SubmittedRun = JSON.parse(body);
  return runId;
}

function sendAccepted(reply: FastifyReply, runId: string, answer: StoredAnswer): FastifyReply {
  return sendAnswer(reply.header('location', `/runs/${runId}`), answer);
}

function acceptedAnswer({ runId, outlook }: AcceptedRun): StoredAnswer {
  const body: SubmittedRun = {
    run_id: runId,
    status: outlook.position === 0 ? 'starting' : 'queued',
    ...outlookFields(outlook),
  };
  return { statusCode: 202, body: JSON.stringify(body) };
}

/** The same request once more: what it got is sent again, as it was. */
function replay(
  { inquiry, streams }: RunRouteOptions,
  request: RunPost,
  reply: FastifyReply,
  first: FirstAnswer,
): FastifyReply {
  if (first.kind === 'answer') return sendAccepted(replayed(reply), runIdIn(first.body), first);
  const answer = inquiry.answerOf(first.runSeq);
  if (answer === null) throw inProgress(first.runId);
  replayed(reply);
  if (wantsEvents(request)) {
    streams.open(request, reply, { ...first, after: 0, endsWhenStopping: true });
    return reply;
  }
  return sendAnswer(reply, answer);
}
