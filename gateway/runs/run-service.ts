// Runs for apps: admitted, written down, queued, executed, settled, answered.
import type { Clock } from '#shared/clock.ts';
import { AppError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';
import type { JsonValue } from '#shared/json-value.ts';
import type { Log } from '#shared/log.ts';

import type { AppAccess } from '../access/app-lookup.ts';
import { admitRun } from './admission.ts';
import type { AdmissionLimits, AdmittedRun } from './admission.ts';
import { outcomeError } from './outcome.ts';
import type { Outcome } from './outcome.ts';
import { answerOf } from './run-answer.ts';
import type { RunAnswer } from './run-answer.ts';
import type { RunQueue, Ticket } from './run-queue.ts';
import type { RunFacts, RunRecords } from './run-record.ts';
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

type Ended = {
  outcome: Outcome;
  message: string | null;
  retryAfterSecs?: number | undefined;
  finished: FinishedRun | null;
};

export function createRunService(deps: {
  limits: AdmissionLimits;
  queue: RunQueue;
  records: RunRecords;
  worker: RunWorker;
  breaker: SignInBreaker;
  signInMend: string;
  hasDiskSpace: () => Promise<boolean>;
  clock: Clock;
  newId: NewId;
  log: Log;
}): RunService {
  const { queue, records, worker, breaker, clock, log } = deps;
  const shutdown = new AbortController();
  const underWay = new Set<Promise<unknown>>();

  /** Refusals that count as runs: they are told apart from the caller's own mistakes, and audited. */
  const refusal = async (): Promise<Ended | null> => {
    if (!breaker.admit()) {
      const message = `Claude is not signed in on the gateway: ${deps.signInMend}.`;
      return { outcome: 'auth', message, finished: null };
    }
    if (await deps.hasDiskSpace()) return null;
    return {
      outcome: 'disk_full',
      message: 'The disk of the gateway is nearly full.',
      finished: null,
    };
  };

  const waitAndWork = async (
    run: RunFacts,
    admitted: AdmittedRun,
    ticket: Ticket,
    call: RunCall,
  ) => {
    const stop = AbortSignal.any([call.clientGone, shutdown.signal]);
    const waitedFrom = clock.monotonicMs();
    try {
      await ticket.turn(stop);
    } catch {
      const outcome: StopReason = call.clientGone.aborted ? 'client_gone' : 'interrupted';
      return { outcome, message: 'The run was still waiting.', retryAfterSecs: 5, finished: null };
    }
    const queueMs = Math.round(clock.monotonicMs() - waitedFrom);
    await records.start(run);
    const finished = await worker.work({
      runId: run.runId,
      admitted,
      queueMs,
      clientGone: call.clientGone,
    });
    queue.sawDuration(finished.durationMs);
    const { verdict } = finished;
    return verdict.outcome === 'completed'
      ? { outcome: verdict.outcome, message: null, finished }
      : { ...verdict, finished };
  };

  const settle = async (run: RunFacts, ended: Ended): Promise<void> => {
    breaker.report(ended.outcome);
    const { finished } = ended;
    await records.end(run, {
      outcome: ended.outcome,
      survivors: finished?.survivors ?? 0,
      details: { message: ended.message, ...finished?.details },
    });
  };
  const execute = async (call: RunCall): Promise<RunAnswer> => {
    const admitted = admitRun(call.request, call.app, deps.limits);
    const run = factsOf(call, admitted, deps.newId('run'));
    const ticket = queue.enter({
      appId: call.app.appId,
      appName: call.app.name,
      maxConcurrent: call.app.maxConcurrent,
      bytes: admitted.promptBytes,
    });
    try {
      const refused = await refusal();
      let ended: Ended;
      if (refused === null) {
        await records.accept(run);
        ended = await waitAndWork(run, admitted, ticket, call);
        await settle(run, ended);
      } else {
        ended = refused;
        const { outcome, message } = refused;
        await records.refuse(run, { outcome, survivors: 0, details: { message } });
      }
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

function factsOf(call: RunCall, admitted: AdmittedRun, runId: string): RunFacts {
  const { app, address, request, requestId } = call;
  const details: Record<string, JsonValue> = {
    request_id: requestId,
    model: admitted.claude.model,
    prompt_bytes: admitted.promptBytes,
    timeout_secs: admitted.timeoutMs / 1000,
    metadata: { ...admitted.metadata },
  };
  return { runId, appId: app.appId, appName: app.name, address, prompt: request.prompt, details };
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
