// One turn of a run: from the moment it may start to its last row in the database, or back into the line.
import type { Clock } from '#shared/clock.ts';
import type { RunEventDraft } from '#shared/gateway-event-api.ts';
import type { Log } from '#shared/log.ts';

import type { Checkpoint } from '../checkpoint.ts';
import { createRunEventJournal } from '../events/run-event-journal.ts';
import type { RunEventJournal } from '../events/run-event-journal.ts';
import { createRunNarrator } from '../events/run-narrator.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { StartGate, StartPass } from '../limits/start-gate.ts';
import type { WaitingRun } from '../queue/fair-line.ts';
import type { RunDurations } from '../queue/run-durations.ts';
import type { TurnAsk } from '../sessions/session-seating.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { AdmittedRun } from './admission.ts';
import { interruptedRetrySecs } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import type { EndedRun } from './run-answer.ts';
import type { RunEndings } from './run-endings.ts';
import { loadPayload, originOf } from './run-payload.ts';
import type { RunPayload } from './run-payload.ts';
import type { PutBackReason, RunRecords } from './run-record.ts';
import type { Seating } from './run-seating.ts';
import { settle } from './run-settlement.ts';
import type { EndedRunFacts, RunOrigin } from './run-settlement.ts';
import { attemptsMax } from './run-state.ts';
import type { RunStore, StoredRun } from './run-store.ts';
import { spawnProfileOf, stopReason } from './run-worker.ts';
import type { FinishedRun, RunWorker } from './run-worker.ts';
import type { SignInBreaker } from './sign-in-breaker.ts';
import { failureToStart } from './start-failure.ts';
import { limitReached } from './verdict.ts';
import type { StopReason } from './verdict.ts';

export type RunTurnParts = {
  store: RunStore;
  records: RunRecords;
  shelf: Pick<FileShelf, 'openPinned'>;
  worker: RunWorker;
  /** For a run of a conversation. */
  seatingOf: (sessionSeq: number, ask: TurnAsk) => Seating;
  /** Throws when there is none of that name. */
  workspaceNamed: (name: string) => Workspace;
  breaker: SignInBreaker;
  gate: Pick<StartGate, 'closedBy'>;
  endings: RunEndings;
  durations: RunDurations;
  /** What the operator has to do about a run that was not signed in. */
  signInMend: string;
  isWatched: (runSeq: number) => boolean;
  onEnded: (facts: EndedRunFacts) => void;
  checkpoint: Checkpoint;
  clock: Clock;
  log: Log;
};

/** A run that has its turn. */
export type TurnOfRun = {
  waiting: WaitingRun;
  /** Null for one whose request is in the database. */
  payload: RunPayload | null;
  /** The database knows already that it has its turn. */
  isClaimed: boolean;
  stop: AbortSignal;
  /** It tells the gate what it finds out. */
  pass: StartPass;
  /** The gateway is stopping: what is interrupted may be put back. */
  isStopping: () => boolean;
};

/** `again`: it is back in the line, with the turn it had counted. Never rejects. */
export async function takeTurn(parts: RunTurnParts, turn: TurnOfRun): Promise<'ended' | 'again'> {
  const { records, store, clock, log } = parts;
  const { waiting } = turn;
  const queueMs = Math.round(clock.monotonicMs() - waiting.since);
  const journal = createRunEventJournal({
    write: (drafts) => records.addEvents(waiting, drafts),
    isWatched: () => parts.isWatched(waiting.runSeq),
    onFailure: (err) => log.warn({ err, run_id: waiting.runId }, 'events could not be stored'),
    clock,
  });
  const outcome = await perform(parts, turn, queueMs, journal);
  const metLimit = turn.pass.over(
    outcome.ended.outcome,
    outcome.ended.finished?.transcript ?? null,
  );
  const events = journal.close();
  const row = store.find(waiting.runId);
  if (row === null) return 'ended';
  if (turn.isStopping() && mayTryAgain(outcome.ended, row)) {
    const isBack = await putBack(parts, waiting, events, 'interrupted');
    if (isBack) return 'again';
  }
  if (metLimit && mayWaitForReset(outcome.ended, row)) {
    const isBack = await putBack(parts, waiting, events, 'rate_limited');
    if (isBack) return 'again';
  }
  await settle(parts, row, { ...outcome, events, queueMs });
  return 'ended';
}

type Performed = { ended: EndedRun; origin: RunOrigin };

async function perform(
  parts: RunTurnParts,
  turn: TurnOfRun,
  queueMs: number,
  journal: RunEventJournal,
): Promise<Performed> {
  const { waiting } = turn;
  try {
    if (!turn.isClaimed) await parts.records.claim(waiting);
    await using payload =
      turn.payload ?? (await loadPayload(waiting.runSeq, parts.store, parts.shelf));
    const ended = await attempt(parts, turn, payload, queueMs, journal);
    return { ended, origin: payload.origin };
  } catch (err) {
    parts.log.error({ err, run_id: waiting.runId }, 'run could not be started');
    const origin = turn.payload?.origin ?? originOf(waiting.runSeq, parts.store);
    return { ended: brokenOff(err), origin };
  }
}

async function attempt(
  parts: RunTurnParts,
  { waiting, stop, pass }: TurnOfRun,
  { admitted, files, origin: { keepsText } }: RunPayload,
  queueMs: number,
  journal: RunEventJournal,
): Promise<EndedRun> {
  const { worker, breaker, gate, durations, records, signInMend, checkpoint, clock } = parts;
  if (stop.aborted) return stoppedWaiting(stopReason(stop));
  if (!pass.isAdmitted) return refusedByLimit(gate.closedBy()?.until ?? clock.now(), clock.now());
  if (!breaker.admit()) return notSignedIn(signInMend, null);
  const workspace = workspaceFor(parts, admitted);
  const narrator = createRunNarrator();
  let outcome: Outcome | null = null;
  try {
    const finished = await worker.work({
      ...{ runId: waiting.runId, admitted, attachments: files, stop },
      ...{ workspace, seating: seatingFor(parts, waiting, admitted, workspace) },
      listener: {
        begun: (pid) => records.begin(waiting, { pid, queueMs }),
        onEvent: (event) => {
          pass.saw(event);
          const drafts = narrator.narrate(event);
          if (drafts.length > 0) journal.add(keepsText ? drafts : drafts.filter(hasNoText));
        },
        onAnswer: () => breaker.sawAnswer(),
        checkpoint,
      },
    });
    if (finished.verdict.outcome === 'completed') {
      durations.sawDuration(waiting.appId, finished.phases.durationMs);
    }
    outcome = finished.verdict.outcome;
    return endedAs(finished, signInMend);
  } finally {
    breaker.report(outcome);
  }
}

function seatingFor(
  { seatingOf }: RunTurnParts,
  { runId, sessionSeq }: WaitingRun,
  admitted: AdmittedRun,
  workspace: Workspace | null,
): Seating | undefined {
  if (sessionSeq === null) return undefined;
  const profile = spawnProfileOf(admitted, workspace);
  const { effort } = admitted.claude;
  return seatingOf(sessionSeq, { runId, profile, effort, workspace });
}

function workspaceFor(
  { workspaceNamed }: RunTurnParts,
  { session }: AdmittedRun,
): Workspace | null {
  const name = session?.workspace ?? null;
  return name === null ? null : workspaceNamed(name);
}

function hasNoText({ type }: RunEventDraft): boolean {
  return type !== 'message.delta' && type !== 'message.completed';
}

function endedAs(finished: FinishedRun, signInMend: string): EndedRun {
  const { verdict } = finished;
  if (verdict.outcome === 'completed') return { outcome: 'completed', message: null, finished };
  if (verdict.outcome === 'auth') return notSignedIn(signInMend, finished);
  return { ...verdict, finished };
}

export function notSignedIn(mend: string, finished: FinishedRun | null): EndedRun {
  const message = `Claude is not signed in, or its credential is not accepted. To mend it: ${mend}.`;
  return { outcome: 'auth', message, finished };
}

/** How a run ends that came when the queue was parked. */
export function refusedByLimit(until: number, now: number): EndedRun {
  return { ...limitReached(until, now), finished: null };
}

/** How a run ends that never got its turn. */
export function stoppedWaiting(
  outcome: StopReason,
  message = 'The run was still waiting for its turn.',
): EndedRun {
  const retry = outcome === 'interrupted' ? { retryAfterSecs: interruptedRetrySecs } : {};
  return { outcome, message, ...retry, finished: null };
}

/** The run could not be written down as started, or its files are gone: its row is closed all the same. */
function brokenOff(err: unknown): EndedRun {
  return { ...failureToStart(err), finished: null };
}

function mayTryAgain({ outcome }: EndedRun, row: StoredRun): boolean {
  const isAgainWanted = row.onInterrupt === 'retry' || (row.isDetached && row.state === 'starting');
  return (
    outcome === 'interrupted' && isAgainWanted && !row.isCancelAsked && row.attempt < attemptsMax
  );
}

/** The model has told it nothing yet, and nobody waits for it who would rather know. */
function mayWaitForReset({ outcome, finished }: EndedRun, row: StoredRun): boolean {
  const toldNothing = finished === null || finished.transcript.model === null;
  const isFresh = toldNothing && (finished?.phases.firstTokenMs ?? null) === null;
  const isWanted = row.isDetached && !row.isCancelAsked && row.attempt < attemptsMax;
  return outcome === 'rate_limited' && isFresh && isWanted;
}

async function putBack(
  { records, gate, log }: RunTurnParts,
  waiting: WaitingRun,
  events: readonly RunEventDraft[],
  reason: PutBackReason,
): Promise<boolean> {
  const waitsUntil = gate.closedBy()?.until ?? null;
  try {
    await records.putBack(waiting, { position: 1, estimateSecs: 0, waitsUntil }, events, reason);
    return true;
  } catch (err) {
    log.error({ err, run_id: waiting.runId }, 'run could not be put back');
    return false;
  }
}
