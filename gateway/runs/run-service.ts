// Runs for apps: taken in, written down, queued, waited for, ended early. What a run does in its turn is in run-turn.ts.
import type { NewId } from '#shared/ids.ts';

import type { FileShelf } from '../files/file-shelf.ts';
import type { StartGate } from '../limits/start-gate.ts';
import type { WaitingRun } from '../queue/fair-line.ts';
import { createRunDispatcher } from '../queue/run-dispatcher.ts';
import type { QueuePlace, RunQueue } from '../queue/run-queue.ts';
import type { StartRoom } from '../queue/start-room.ts';
import { answerOf, errorOf } from './run-answer.ts';
import type { EndedRun } from './run-answer.ts';
import { createRunDepartures } from './run-departures.ts';
import type { RunEnding } from './run-endings.ts';
import { keyedAnswer, takeIn } from './run-intake.ts';
import type { AcceptedRun, RunCall, RunIntakeParts } from './run-intake.ts';
import type { RunPayload } from './run-payload.ts';
import type { RunFacts } from './run-record.ts';
import { endOf } from './run-settlement.ts';
import type { StoredRun } from './run-store.ts';
import { notSignedIn, refusedByLimit, stoppedWaiting, takeTurn } from './run-turn.ts';
import type { RunTurnParts } from './run-turn.ts';
import { stopReason } from './run-worker.ts';
import type { StopReason } from './verdict.ts';

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
  /** Cancels what waits and what is under way in a conversation that was ended. */
  stopSession: (sessionSeq: number) => void;
  /** The queue was parked: runs whose clients wait for them are answered. */
  refuseImpatient: () => void;
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

export type RunServiceParts = RunTurnParts &
  RunIntakeParts & {
    queue: RunQueue;
    room: StartRoom;
    gate: StartGate;
    shelf: Pick<FileShelf, 'open' | 'look' | 'openPinned'>;
    hasDiskSpace: () => Promise<boolean>;
    onTurnOver: () => void;
    newId: NewId;
  };

export function createRunService(parts: RunServiceParts): RunService {
  const { queue, gate, endings, clock } = parts;
  const payloads = new Map<string, RunPayload>();
  const stops = new Map<string, { sessionSeq: number | null; controller: AbortController }>();
  /** Runs that wait, whose clients wait for them. */
  const impatient = new Set<string>();
  const departures = createRunDepartures(parts, takePayload);
  const dispatcher = createRunDispatcher({ ...parts, takeTurn: takeOne });

  async function takeOne(waiting: WaitingRun, isClaimed: boolean): Promise<void> {
    const pass = gate.begin();
    const controller = new AbortController();
    impatient.delete(waiting.runId);
    stops.set(waiting.runId, { sessionSeq: waiting.sessionSeq, controller });
    const payload = takePayload(waiting.runId);
    const { signal } = controller;
    const isStopping = dispatcher.isStopped;
    const how = await takeTurn(parts, {
      waiting,
      payload,
      isClaimed,
      stop: signal,
      pass,
      isStopping,
    });
    stops.delete(waiting.runId);
    if (how === 'again') goBack(waiting, signal);
  }
  function goBack(waiting: WaitingRun, signal: AbortSignal): void {
    if (dispatcher.isStopped()) return endings.tell(waiting.runId, { kind: 'parked' });
    queue.restore({ ...waiting, bytes: 0, since: clock.monotonicMs() });
    if (signal.aborted) stop(waiting.runId, stopReason(signal));
  }
  function takePayload(runId: string): RunPayload | null {
    const payload = payloads.get(runId) ?? null;
    payloads.delete(runId);
    return payload;
  }
  /** The run is written down: it starts, or it waits. */
  const enter = (place: QueuePlace, waiting: WaitingRun): void => {
    if (dispatcher.isStopped()) {
      place.giveBack();
      leaveForNextStart(waiting);
    } else if (place.startsAtOnce) {
      dispatcher.start(waiting, true);
    } else {
      place.take(waiting);
      refuseImpatient();
      dispatcher.wake();
    }
  };
  /** While the queue is parked nobody is kept waiting who would have given up by then. */
  const refuseImpatient = (): void => {
    const { until } = gate.closedBy() ?? {};
    if (until === undefined) return;
    for (const runId of impatient) {
      const waiting = queue.remove(runId);
      if (waiting !== null) departures.end(waiting, refusedByLimit(until, clock.now()));
      impatient.delete(runId);
    }
  };
  /** What becomes of a run that has not started when the gateway stops. */
  const leaveForNextStart = (waiting: WaitingRun): void => {
    if (payloads.has(waiting.runId))
      departures.end(waiting, stoppedWaiting('interrupted', stoppingMessage));
    else endings.tell(waiting.runId, { kind: 'parked' });
  };
  const stop: RunService['stop'] = (runId, reason, message) => {
    const waiting = queue.remove(runId);
    if (waiting !== null) {
      impatient.delete(runId);
      departures.end(waiting, stoppedWaiting(reason, message));
      dispatcher.wake();
      return true;
    }
    stops.get(runId)?.controller.abort(reason);
    return stops.has(runId);
  };

  return {
    async submit(call) {
      const runId = parts.newId('run');
      await using intake = await takeIn(parts, call, runId);
      const { run, applicant } = intake;
      const refused = await refusal(parts, call);
      if (refused !== null) return refuse(parts, run, refused);
      const place = queue.reserve(applicant);
      try {
        const since = clock.monotonicMs();
        const { outlook, startsAtOnce } = place;
        const keyed = keyedAnswer(call, { runId, outlook });
        const runSeq = await parts.records.accept(run, { outlook, startsAtOnce, keyed });
        const ending = call.isAwaited ? endings.wait(runId).then(neverGivenUp) : null;
        const payload = intake.takePayload();
        if (payload !== null) payloads.set(runId, payload);
        if (!run.isDetached) impatient.add(runId);
        const { appId, sessionSeq, bytes } = applicant;
        enter(place, { runSeq, runId, appId, sessionSeq, bytes, since });
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
    stopSession(sessionSeq) {
      const waiting = [...queue.waiting()].filter((run) => run.sessionSeq === sessionSeq);
      for (const { runId } of waiting) stop(runId, 'cancelled', 'Its session was ended.');
      for (const underWay of stops.values()) {
        if (underWay.sessionSeq === sessionSeq) underWay.controller.abort('cancelled');
      }
    },
    refuseImpatient,
    lookAgain: () => dispatcher.wake(),
    restore(runs) {
      const since = clock.monotonicMs();
      for (const { runSeq, runId, appId, sessionSeq } of runs) {
        queue.restore({ runSeq, runId, appId, sessionSeq, bytes: 0, since });
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
        () => stops.values().forEach(({ controller }) => controller.abort('interrupted')),
        () => {},
      );
      await dispatcher.idle();
      await departures.settled();
      drained.abort();
      await interruptLate;
    },
    underWay: () => stops.size,
  };
}

const stoppingMessage = 'The gateway is stopping; the run was still waiting for its turn.';

function neverGivenUp(ending: RunEnding | null): RunEnding {
  if (ending === null) throw new Error('a wait without a signal was given up');
  return ending;
}

/** Refusals that count as runs, unlike the caller's own mistakes: they are audited. */
async function refusal(parts: RunServiceParts, call: RunCall): Promise<EndedRun | null> {
  if (parts.breaker.isOpen()) return notSignedIn(parts.signInMend, null);
  const { until } = parts.gate.closedBy() ?? {};
  const isImpatient = call.isAwaited || call.isStreamed;
  if (until !== undefined && isImpatient) return refusedByLimit(until, parts.clock.now());
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
