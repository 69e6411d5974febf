// Runs for apps: admitted, written down, queued, waited for, cancelled. What a run does in its turn is in run-turn.ts.
import type { RunRequest } from '#shared/gateway-run-api.ts';
import type { NewId } from '#shared/ids.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { StoredFile } from '../files/file-store.ts';
import type { KeyedRequest } from '../idempotency/idempotency-keys.ts';
import type { WaitingRun } from '../queue/fair-line.ts';
import { createRunDispatcher } from '../queue/run-dispatcher.ts';
import type { QueueOutlook, QueuePlace, RunQueue } from '../queue/run-queue.ts';
import type { StartRoom } from '../queue/start-room.ts';
import { admitRun } from './admission.ts';
import type { AdmissionLimits, AdmittedRun } from './admission.ts';
import { answerOf, errorOf } from './run-answer.ts';
import type { EndedRun } from './run-answer.ts';
import type { RunEnding } from './run-endings.ts';
import { originOf, storedRequestOf } from './run-payload.ts';
import type { RunPayload } from './run-payload.ts';
import type { RunFacts } from './run-record.ts';
import { endOf, settle } from './run-settlement.ts';
import type { StoredRun } from './run-store.ts';
import { notSignedIn, stoppedWaiting, takeTurn } from './run-turn.ts';
import type { RunTurnParts } from './run-turn.ts';
import type { StopReason } from './verdict.ts';

export type RunCall = {
  app: AppAccess;
  address: string;
  requestId: string;
  traceparent: string | null;
  request: RunRequest;
  /** It goes on when its client goes away. */
  isDetached: boolean;
  /** Somebody reads its events. */
  isStreamed: boolean;
  /** Somebody waits for its end. */
  isAwaited: boolean;
  keyed: KeyedRequest | null;
  /** Of a request that is answered before its run has ended: what its key is answered with, made when the run has its place. */
  firstAnswer?: (run: AcceptedRun) => { statusCode: number; body: string };
};

export type AcceptedRun = { runId: string; outlook: QueueOutlook };

export type SubmittedCall = AcceptedRun & {
  runSeq: number;
  /** Resolves when the run has ended, or waits for the next start of the gateway. Null unless it is awaited. */
  ending: Promise<RunEnding> | null;
};

export type RunService = {
  /** Throws AppError for what is no run: a mistake of the caller, no place, no disk. */
  submit: (call: RunCall) => Promise<SubmittedCall>;
  /** Ends a run before its time. False when it has ended already. */
  stop: (runId: string, reason: StopReason, message?: string) => boolean;
  /** Cancels what waits of an app that was revoked. */
  stopWaitingOf: (appId: number) => void;
  /** A limit has changed: somebody may be able to start. */
  lookAgain: () => void;
  /** Runs of an earlier start, oldest first: they wait again. */
  restore: (runs: readonly StoredRun[]) => void;
  /** Turns begin; until then whatever comes waits. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Lets what runs end by itself for a while, then interrupts it; what waits and has nobody to wait for it again ends. */
  drain: (graceMs: number) => Promise<void>;
  underWay: () => number;
};

export type RunServiceParts = RunTurnParts & {
  limits: AdmissionLimits;
  /** What a prompt may leave behind. */
  keepsAllText: boolean;
  queue: RunQueue;
  room: StartRoom;
  shelf: Pick<FileShelf, 'open' | 'look' | 'openPinned'>;
  hasDiskSpace: () => Promise<boolean>;
  newId: NewId;
};

export function createRunService(parts: RunServiceParts): RunService {
  const { queue, records, endings, store, clock } = parts;
  const payloads = new Map<string, RunPayload>();
  const stops = new Map<string, AbortController>();
  const endingNow = new Set<Promise<unknown>>();
  const dispatcher = createRunDispatcher({ ...parts, takeTurn: takeOne });

  async function takeOne(waiting: WaitingRun, isClaimed: boolean): Promise<void> {
    const stop = stops.get(waiting.runId) ?? new AbortController();
    stops.set(waiting.runId, stop);
    const payload = takePayload(waiting.runId);
    await takeTurn(parts, {
      ...{ waiting, payload, isClaimed, stop: stop.signal, isStopping: dispatcher.isStopped },
    });
    stops.delete(waiting.runId);
  }
  function takePayload(runId: string): RunPayload | null {
    const payload = payloads.get(runId) ?? null;
    payloads.delete(runId);
    return payload;
  }

  /** Ends a run that waits and is out of the line. */
  const endWaiting = (waiting: WaitingRun, ended: EndedRun): void => {
    const end = async (): Promise<void> => {
      await using payload = takePayload(waiting.runId);
      const row = store.find(waiting.runId);
      if (row === null) return;
      const queueMs = Math.round(clock.monotonicMs() - waiting.since);
      const origin = payload?.origin ?? originOf(waiting.runSeq, store);
      await settle(parts, row, { ended, origin, events: [], queueMs });
    };
    const ending = end()
      .catch((err: unknown) =>
        parts.log.error({ err, run_id: waiting.runId }, 'run could not be ended'),
      )
      .finally(() => endingNow.delete(ending));
    endingNow.add(ending);
  };
  const stop: RunService['stop'] = (runId, reason, message) => {
    const waiting = queue.remove(runId);
    if (waiting !== null) {
      endWaiting(waiting, stoppedWaiting(reason, message));
      dispatcher.wake();
      return true;
    }
    stops.get(runId)?.abort(reason);
    return stops.has(runId);
  };

  /** The run is written down: it starts, or it waits. */
  const enter = (place: QueuePlace, waiting: WaitingRun, payload: RunPayload | null): void => {
    if (payload !== null) payloads.set(waiting.runId, payload);
    if (dispatcher.isStopped()) {
      place.giveBack();
      leaveForNextStart(waiting);
    } else if (place.startsAtOnce) {
      dispatcher.start(waiting, true);
    } else {
      place.take(waiting);
      dispatcher.wake();
    }
  };
  /** What becomes of a run that has not started when the gateway stops. */
  const leaveForNextStart = (waiting: WaitingRun): void => {
    if (payloads.has(waiting.runId)) endWaiting(waiting, stoppedWaiting('interrupted'));
    else endings.tell(waiting.runId, { kind: 'parked' });
  };

  return {
    async submit(call) {
      const admitted = admitRun(call.request, call.app, parts.limits);
      await using held = await takeAlong(parts, call, admitted);
      const runId = parts.newId('run');
      const run = factsOf(call, admitted, held, runId);
      const refused = await refusal(parts);
      if (refused !== null) return refuse(parts, run, refused);
      const place = queue.reserve({
        appId: call.app.appId,
        appName: call.app.name,
        maxQueued: call.app.maxQueued,
        bytes: held.payload === null ? 0 : admitted.promptBytes,
      });
      try {
        const since = clock.monotonicMs();
        const { outlook, startsAtOnce } = place;
        const keyed = keyedAnswer(call, { runId, outlook });
        const runSeq = await records.accept(run, { outlook, startsAtOnce, keyed });
        const ending = call.isAwaited ? endings.wait(runId).then(neverGivenUp) : null;
        const bytes = held.payload === null ? 0 : admitted.promptBytes;
        enter(place, { runSeq, runId, appId: run.appId, bytes, since }, held.keep());
        return { runId, runSeq, outlook, ending };
      } catch (err) {
        place.giveBack();
        throw err;
      }
    },
    stop,
    stopWaitingOf(appId) {
      const waiting = [...queue.waiting()].filter((run) => run.appId === appId);
      for (const { runId } of waiting) stop(runId, 'cancelled', 'The app of the run was revoked.');
    },
    lookAgain: () => dispatcher.wake(),
    restore(runs) {
      const since = clock.monotonicMs();
      for (const { runSeq, runId, appId } of runs) {
        queue.restore({ runSeq, runId, appId, bytes: 0, since });
      }
    },
    run: (signal) => dispatcher.run(signal),
    async drain(graceMs) {
      dispatcher.stop();
      for (const waiting of [...queue.waiting()]) {
        queue.remove(waiting.runId);
        leaveForNextStart(waiting);
      }
      const drained = new AbortController();
      const interruptLate = clock.sleep(graceMs, drained.signal).then(
        () => stops.values().forEach((each) => each.abort('interrupted')),
        () => {},
      );
      await dispatcher.idle();
      while (endingNow.size > 0) await Promise.all(endingNow);
      drained.abort();
      await interruptLate;
    },
    underWay: () => stops.size,
  };
}

/** What a run takes along: in memory, its files open, or only as names that the database will pin. */
type Held = AsyncDisposable & {
  payload: RunPayload | null;
  files: readonly StoredFile[];
  /** It is the run's from here on. */
  keep: () => RunPayload | null;
};

async function takeAlong(
  { shelf, keepsAllText }: RunServiceParts,
  call: RunCall,
  admitted: AdmittedRun,
): Promise<Held> {
  const { app, request, address, requestId, isStreamed } = call;
  const fileTokens = request.files ?? [];
  if (outlivesClient(call)) {
    const files = shelf.look(app.appId, fileTokens);
    return { payload: null, files, keep: () => null, [Symbol.asyncDispose]: async () => {} };
  }
  const opened = await shelf.open(app.appId, fileTokens);
  const close = (): Promise<void> => Promise.resolve(opened[Symbol.asyncDispose]());
  const keepsText = keepsAllText || isStreamed;
  const payload: RunPayload = {
    ...{ admitted, files: opened.files, origin: { address, requestId, keepsText } },
    [Symbol.asyncDispose]: close,
  };
  let isKept = false;
  return {
    payload,
    files: opened.files,
    keep: () => {
      isKept = true;
      return payload;
    },
    [Symbol.asyncDispose]: async () => {
      if (!isKept) await close();
    },
  };
}

function outlivesClient({ isDetached, request }: RunCall): boolean {
  return isDetached || request.on_interrupt === 'retry';
}

function keyedAnswer({ keyed, firstAnswer }: RunCall, accepted: AcceptedRun) {
  return keyed === null ? null : { ...keyed, answer: firstAnswer?.(accepted) ?? null };
}

function neverGivenUp(ending: RunEnding | null): RunEnding {
  if (ending === null) throw new Error('a wait without a signal was given up');
  return ending;
}

/** Refusals that count as runs, unlike the caller's own mistakes: they are audited. */
async function refusal(parts: RunServiceParts): Promise<EndedRun | null> {
  if (parts.breaker.isOpen()) return notSignedIn(parts.signInMend, null);
  if (await parts.hasDiskSpace()) return null;
  const message = 'The disk of the gateway is nearly full.';
  return { outcome: 'disk_full', message, finished: null };
}

async function refuse(parts: RunServiceParts, run: RunFacts, ended: EndedRun): Promise<never> {
  const { runId, appName: app, address, requestId, traceparent } = run;
  await parts.records.refuse(run, endOf(ended, answerOf(runId, requestId, ended), 0));
  parts.onEnded({ runId, app, address, traceparent, ended, queueMs: 0 });
  throw errorOf(runId, ended);
}

function factsOf(call: RunCall, admitted: AdmittedRun, held: Held, runId: string): RunFacts {
  const { app, address, request, requestId, traceparent } = call;
  const { model } = admitted.claude;
  const details: Record<string, JsonValue> = {
    request_id: requestId,
    ...(traceparent === null ? {} : { traceparent }),
    model,
    prompt_bytes: admitted.promptBytes,
    timeout_secs: admitted.timeoutMs / 1000,
    metadata: { ...admitted.metadata },
    ...(held.files.length === 0 ? {} : { files: held.files.map(fileFacts) }),
  };
  return {
    ...{ runId, appId: app.appId, appName: app.name, address, requestId },
    ...{ prompt: request.prompt, details, traceparent, requestedModel: model },
    isDetached: call.isDetached,
    onInterrupt: request.on_interrupt ?? 'fail',
    metadata: admitted.metadata,
    stored:
      held.payload === null
        ? {
            request: storedRequestOf(admitted, { address, requestId }),
            fileTokens: held.files.map(({ fileToken }) => fileToken),
          }
        : null,
  };
}

function fileFacts({ fileToken, name, size, sha256, mediaType }: StoredFile) {
  return { file_token: fileToken, name, size, sha256, media_type: mediaType };
}
