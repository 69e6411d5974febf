// Runs for apps: admitted, written down, queued, executed, settled, answered.
import type { Clock } from '#shared/clock.ts';
import { DatabaseFullError } from '#shared/database-writer.ts';
import { AppError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';
import type { JsonValue } from '#shared/json-value.ts';
import type { Log } from '#shared/log.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import type { FileShelf } from '../files/file-shelf.ts';
import type { OpenFile } from '../files/open-file.ts';
import { admitRun } from './admission.ts';
import type { AdmissionLimits, AdmittedRun } from './admission.ts';
import { interruptedRetrySecs, outcomeError } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { answerOf } from './run-answer.ts';
import type { RunAnswer } from './run-answer.ts';
import type { RunQueue, Ticket } from './run-queue.ts';
import type { RunEnd, RunFacts, RunRecords } from './run-record.ts';
import type { RunRequest } from './run-request.ts';
import type { FinishedRun, RunWorker } from './run-worker.ts';
import type { SignInBreaker } from './sign-in-breaker.ts';
import type { StopReason } from './verdict.ts';

export type RunCall = {
  app: AppAccess;
  address: string;
  requestId: string;
  request: RunRequest;
  /** Aborts when the client has gone away. */
  clientGone: AbortSignal;
};

export type RunService = {
  /** Throws AppError for everything but a completed run. */
  execute: (call: RunCall) => Promise<RunAnswer>;
  /** Ends what waits, lets what runs end by itself for a while, then interrupts it. Resolves when nothing is under way. */
  drain: (graceMs: number) => Promise<void>;
};

export type RunServiceParts = {
  limits: AdmissionLimits;
  queue: RunQueue;
  shelf: Pick<FileShelf, 'open'>;
  records: RunRecords;
  worker: RunWorker;
  breaker: SignInBreaker;
  /** What the operator has to do about a run that was not signed in. */
  signInMend: string;
  hasDiskSpace: () => Promise<boolean>;
  clock: Clock;
  newId: NewId;
  log: Log;
};

type Ended = {
  outcome: Outcome;
  message: string | null;
  retryAfterSecs?: number | undefined;
  finished: FinishedRun | null;
};

/** A run on its way: what was asked, what was made of it, its place in the queue. */
type Passage = {
  call: RunCall;
  admitted: AdmittedRun;
  files: readonly OpenFile[];
  run: RunFacts;
  ticket: Ticket;
  enteredAt: number;
  shutdown: AbortSignal;
};

export function createRunService(parts: RunServiceParts): RunService {
  const { queue, worker, clock, log } = parts;
  const shutdown = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  const execute = async (call: RunCall): Promise<RunAnswer> => {
    const admitted = admitRun(call.request, call.app, parts.limits);
    // Open from here on: what happens to a file while its run waits does not matter.
    await using opened = await parts.shelf.open(call.app.appId, call.request.files ?? []);
    const { files } = opened;
    const run = factsOf(call, admitted, files, parts.newId('run'));
    const ticket = queue.enter({
      appId: call.app.appId,
      appName: call.app.name,
      maxConcurrent: call.app.maxConcurrent,
      bytes: admitted.promptBytes,
    });
    try {
      const enteredAt = clock.monotonicMs();
      const passage = { call, admitted, files, run, ticket, enteredAt, shutdown: shutdown.signal };
      const ended = await pass(parts, passage);
      logRun(log, run, ended);
      return answer(run, ended);
    } finally {
      ticket.leave();
    }
  };
  return {
    execute(call) {
      const run = execute(call);
      underWay.add(run);
      void run.catch(() => {}).finally(() => underWay.delete(run));
      return run;
    },
    async drain(graceMs) {
      shutdown.abort();
      const drained = new AbortController();
      const interruptLate = clock.sleep(graceMs, drained.signal).then(
        () => worker.interruptAll(),
        () => {},
      );
      while (underWay.size > 0) await Promise.allSettled(underWay);
      drained.abort();
      await interruptLate;
    },
  };
}

/** From the refusal that costs nothing to the last row in the database. */
async function pass(parts: RunServiceParts, passage: Passage): Promise<Ended> {
  const { records } = parts;
  const { run } = passage;
  const refused = await refusal(parts, parts.breaker.isOpen());
  if (refused !== null) {
    await records.refuse(run, rowOf(refused));
    return refused;
  }
  await records.accept(run, passage.ticket.startsAtOnce);
  const ended = (await waitForTurn(passage)) ?? (await work(parts, passage).catch(brokenOff));
  await records.end(run, rowOf(ended));
  return ended;

  /** The run could not be written down as started: its row is closed all the same. */
  function brokenOff(err: unknown): Ended {
    parts.log.error({ err, run_id: run.runId }, 'run could not be started');
    const isFull = err instanceof DatabaseFullError;
    const message = 'The run could not be written down on the gateway.';
    return { outcome: isFull ? 'disk_full' : 'spawn_failed', message, finished: null };
  }
}

/** Refusals that count as runs, unlike the caller's own mistakes: they are audited. */
async function refusal(parts: RunServiceParts, isSignedOut: boolean): Promise<Ended | null> {
  if (isSignedOut) return notSignedIn(parts.signInMend, null);
  if (await parts.hasDiskSpace()) return null;
  const message = 'The disk of the gateway is nearly full.';
  return { outcome: 'disk_full', message, finished: null };
}

/** How a run ended that never got its turn; null when it has come. */
async function waitForTurn({ call, ticket, shutdown }: Passage): Promise<Ended | null> {
  try {
    await ticket.turn(AbortSignal.any([call.clientGone, shutdown]));
    return null;
  } catch {
    const outcome: StopReason = call.clientGone.aborted ? 'client_gone' : 'interrupted';
    const message = 'The run was still waiting for its turn.';
    return { outcome, message, retryAfterSecs: interruptedRetrySecs, finished: null };
  }
}

async function work(parts: RunServiceParts, passage: Passage): Promise<Ended> {
  const { records, worker, breaker, clock } = parts;
  const { run, admitted, files, call, ticket, enteredAt } = passage;
  const refused = await refusal(parts, !breaker.admit());
  if (refused !== null) {
    if (refused.outcome !== 'auth') breaker.report(null);
    return refused;
  }
  let outcome: Outcome | null = null;
  try {
    const queueMs = Math.round(clock.monotonicMs() - enteredAt);
    if (!ticket.startsAtOnce) await records.start(run);
    const { clientGone } = call;
    const finished = await worker.work({
      ...{ runId: run.runId, admitted, attachments: files, queueMs, clientGone },
    });
    parts.queue.sawDuration(finished.durationMs);
    outcome = finished.verdict.outcome;
    return endedAs(finished, parts.signInMend);
  } finally {
    breaker.report(outcome);
  }
}

function endedAs(finished: FinishedRun, signInMend: string): Ended {
  const { verdict } = finished;
  if (verdict.outcome === 'completed') return { outcome: 'completed', message: null, finished };
  if (verdict.outcome === 'auth') return notSignedIn(signInMend, finished);
  return { ...verdict, finished };
}

function notSignedIn(mend: string, finished: FinishedRun | null): Ended {
  const message = `Claude is not signed in, or its credential is not accepted. To mend it: ${mend}.`;
  return { outcome: 'auth', message, finished };
}

function rowOf({ outcome, message, finished }: Ended): RunEnd {
  return {
    outcome,
    survivors: finished?.survivors ?? 0,
    details: { message, ...finished?.details },
    stderrTail: finished?.stderrTail ?? '',
  };
}

function factsOf(
  call: RunCall,
  admitted: AdmittedRun,
  files: readonly OpenFile[],
  runId: string,
): RunFacts {
  const { app, address, request, requestId } = call;
  const details: Record<string, JsonValue> = {
    request_id: requestId,
    model: admitted.claude.model,
    prompt_bytes: admitted.promptBytes,
    timeout_secs: admitted.timeoutMs / 1000,
    metadata: { ...admitted.metadata },
    ...(files.length === 0 ? {} : { files: files.map(fileFacts) }),
  };
  return { runId, appId: app.appId, appName: app.name, address, prompt: request.prompt, details };
}

function fileFacts({ fileToken, name, size, sha256, mediaType }: OpenFile) {
  return { file_token: fileToken, name, size, sha256, media_type: mediaType };
}

function answer(run: RunFacts, { outcome, message, retryAfterSecs, finished }: Ended): RunAnswer {
  if (outcome === 'completed' && finished !== null) return answerOf(run.runId, finished);
  if (outcome === 'completed') throw new Error('a run was completed without an execution');
  throw new AppError(outcomeError(outcome), message ?? outcome, {
    runId: run.runId,
    retryAfterSecs,
  });
}

/** One line a run; what was asked and answered stays in the audit log. */
function logRun(log: Log, run: RunFacts, { outcome, message, finished }: Ended): void {
  log.info(
    {
      run_id: run.runId,
      app: run.appName,
      address: run.address,
      outcome,
      ...(message === null ? {} : { reason: message }),
      ...finished?.details,
    },
    'run ended',
  );
}
