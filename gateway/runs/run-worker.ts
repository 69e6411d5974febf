// Does one run with everything it needs around it: the installation, a directory, the login. Leaves nothing behind.
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import type { JsonValue } from '#shared/json-value.ts';
import type { Log } from '#shared/log.ts';

import { passThrough } from '../checkpoint.ts';
import type { ClaudeCredential } from '../claude/claude-credential.ts';
import { ClaudeUnavailableError } from '../claude/claude-installation.ts';
import type { ClaudeInstallation, ClaudeLookup } from '../claude/claude-installation.ts';
import type { LoginDirectory, LoginLease } from '../claude/login-directory.ts';
import { emptyTranscript, finalText } from '../claude/transcript.ts';
import type { Transcript } from '../claude/transcript.ts';
import type { ClaudeAttachment } from '../claude/user-message.ts';
import { removeRunDirectory } from '../sandbox/run-directory.ts';
import type { Sandbox } from '../sandbox/sandbox-tier.ts';
import type { AdmittedRun } from './admission.ts';
import { interruptedRetrySecs } from './outcome.ts';
import type { PreparedRuns } from './prepared-runs.ts';
import { startExecution } from './run-execution.ts';
import type { Execution, ExecutionListener, ExecutionReport } from './run-execution.ts';
import type { Spent } from './run-record.ts';
import { startSeat } from './run-seat.ts';
import type { RunSeat, SeatOptions } from './run-seat.ts';
import type { StopReason, Verdict } from './verdict.ts';

export type RunWork = {
  runId: string;
  admitted: AdmittedRun;
  attachments?: readonly ClaudeAttachment[];
  /** Aborts, with a StopReason, when the run is to end before its time. */
  stop: AbortSignal;
  listener?: Partial<ExecutionListener>;
};

export type FinishedRun = {
  verdict: Verdict;
  transcript: Transcript;
  wantsSchema: boolean;
  survivors: number;
  phases: RunPhases;
  spent: Spent;
  /** For the audit row and the log. */
  details: Record<string, JsonValue>;
  /** What the CLI said beside its output; it may quote the prompt. Empty for a run that was answered. */
  stderrTail: string;
};

/** Milliseconds of each part of a run that had its turn; null for what it did not come to. */
export type RunPhases = {
  /** From its turn until its process was told the request. */
  prepareMs: number | null;
  /** From there until it took the request up. */
  bindMs: number | null;
  /** From there until the model began to answer. */
  firstTokenMs: number | null;
  /** Of the process. */
  durationMs: number;
};

export type RunWorker = {
  /** Never throws for what a run can do: the verdict says how it went. */
  work: (work: RunWork) => Promise<FinishedRun>;
};

export type RunWorkerOptions = {
  sandbox: Sandbox;
  claude: ClaudeLookup;
  credential: ClaudeCredential;
  login: LoginDirectory | null;
  baseUrl: string | null;
  runsDir: string;
  prepared: Pick<PreparedRuns, 'take'>;
  deadlines: { startMs: number; idleMs: number };
  limits: { outputBytes: number; runDiskBytes: number; diskReserveBytes: number };
  clock: Clock;
  log: Log;
};

export function createRunWorker(options: RunWorkerOptions): RunWorker {
  const { sandbox, login, prepared, clock } = options;
  const seats: SeatOptions = { ...options, loginDir: login?.dir ?? null };

  const execute = async (work: RunWork): Promise<FinishedRun> => {
    const turnAt = clock.monotonicMs();
    const installation = await options.claude.current();
    let root = join(options.runsDir, work.runId);
    let lease: LoginLease | null = null;
    try {
      lease = (await login?.lease(work.stop)) ?? null;
      const { profile } = work.admitted;
      const wanted = { profile, installation, login: login?.current() ?? '' };
      const ready = await prepared.take(wanted);
      const cold = { marker: work.runId, root, installation, profile };
      const seat = ready ?? startSeat(seats, cold);
      root = seat.directory.root;
      const startedAt = clock.monotonicMs();
      const execution = start(options, work, seat, lease);
      const stop = (): void => execution.stop(stopReason(work.stop));
      work.stop.addEventListener('abort', stop, { once: true });
      if (work.stop.aborted) stop();
      const report = await execution.ended;
      work.stop.removeEventListener('abort', stop);
      const started = { beforeStartMs: startedAt - turnAt, isPrepared: ready !== null };
      return finishedRun(work, report, started, installation, sandbox);
    } finally {
      await clearUp(options.log, work.runId, root, lease);
    }
  };
  return {
    async work(work) {
      try {
        return await execute(work);
      } catch (err) {
        const isStopped = work.stop.aborted;
        if (!isStopped) options.log.error({ err, run_id: work.runId }, 'run could not be started');
        const verdict: Verdict = isStopped
          ? stoppedBefore(stopReason(work.stop))
          : failureToStart(err);
        return notStarted(verdict);
      }
    },
  };
}

const silent: ExecutionListener = {
  begun: () => Promise.resolve(),
  onEvent: () => {},
  onAnswer: () => {},
  checkpoint: passThrough,
};

function start(
  { deadlines, limits, clock }: RunWorkerOptions,
  { admitted, attachments = [], listener: partial = {} }: RunWork,
  { claude, directory }: RunSeat,
  lease: LoginLease | null,
): Execution {
  const listener = { ...silent, ...partial };
  listener.checkpoint('spawned');
  return startExecution(
    {
      claude,
      root: directory.root,
      task: { ...admitted.claude, attachments },
      deadlines: { ...deadlines, totalMs: admitted.timeoutMs },
      // New runs are refused at the whole reserve; those under way may use some of it.
      disk: { runBytes: limits.runDiskBytes, reserveBytes: limits.diskReserveBytes / 4 },
      keepsProcess: false,
      // Without tools nothing can begin after the result. A refresh of the login that is cut off would sign everybody out.
      endsWithResult: ({ retryCount }) =>
        lease === null || (retryCount === 0 && !lease.mayBeRefreshing()),
    },
    listener,
    clock,
  );
}

/** What cannot be cleared up is no reason to lose the answer: the next start clears it away. */
async function clearUp(
  log: Log,
  runId: string,
  root: string,
  lease: LoginLease | null,
): Promise<void> {
  const done = await Promise.allSettled([lease?.release(), removeRunDirectory(root)]);
  for (const each of done) {
    if (each.status === 'fulfilled') continue;
    log.error({ err: each.reason, run_id: runId }, 'run could not be cleared up');
  }
}

/** Whoever aborts gives one of these as the reason. */
export function stopReason({ reason }: AbortSignal): StopReason {
  return reason === 'client_gone' || reason === 'cancelled' ? reason : 'interrupted';
}

export function stoppedBefore(outcome: StopReason): Verdict {
  const retry = outcome === 'interrupted' ? { retryAfterSecs: interruptedRetrySecs } : {};
  return { outcome, message: 'The run had not started yet.', ...retry };
}

const startRetrySecs = 5;

function failureToStart(err: unknown): Verdict {
  if (err instanceof ClaudeUnavailableError) {
    return err.code === 'missing'
      ? { outcome: 'cli_missing', message: 'The claude command is not installed on the gateway.' }
      : {
          outcome: 'spawn_failed',
          message: 'The claude command on the gateway cannot be executed.',
          retryAfterSecs: startRetrySecs,
        };
  }
  if (isDiskFull(err)) {
    return { outcome: 'disk_full', message: 'The disk of the gateway is full.' };
  }
  return {
    outcome: 'spawn_failed',
    message: 'The run could not be prepared on the gateway.',
    retryAfterSecs: startRetrySecs,
  };
}

const fullCodes: unknown[] = ['ENOSPC', 'EDQUOT', 'disk_full'];

function isDiskFull(err: unknown): boolean {
  return err instanceof Error && 'code' in err && fullCodes.includes(err.code);
}

function notStarted(verdict: Verdict): FinishedRun {
  return {
    verdict,
    transcript: emptyTranscript(),
    wantsSchema: false,
    survivors: 0,
    phases: { prepareMs: null, bindMs: null, firstTokenMs: null, durationMs: 0 },
    spent: nothingSpent,
    details: {},
    stderrTail: '',
  };
}

export const nothingSpent: Spent = {
  ...{ durationMs: null, model: null, inputTokens: null, outputTokens: null, costMicroUsd: null },
};

function finishedRun(
  { admitted }: RunWork,
  { transcript, exit, endedAfterResult, stdoutBytes, phases, verdict }: ExecutionReport,
  { beforeStartMs, isPrepared }: { beforeStartMs: number; isPrepared: boolean },
  installation: ClaudeInstallation,
  sandbox: Sandbox,
): FinishedRun {
  const spent = spentBy(transcript, phases.totalMs);
  return {
    verdict,
    transcript,
    wantsSchema: admitted.claude.jsonSchema !== null,
    survivors: exit?.survivors ?? 0,
    phases: {
      prepareMs: phases.boundMs === null ? null : Math.round(beforeStartMs + phases.boundMs),
      bindMs: difference(phases.initMs, phases.boundMs),
      firstTokenMs: difference(phases.firstTokenMs, phases.initMs),
      durationMs: phases.totalMs,
    },
    spent,
    details: {
      first_event_ms: phases.firstEventMs,
      duration_ms: phases.totalMs,
      model_used: transcript.model,
      response_chars: finalText(transcript).length,
      input_tokens: spent.inputTokens,
      output_tokens: spent.outputTokens,
      cost_micro_usd: spent.costMicroUsd,
      cli_version: installation.version,
      sandbox: sandbox.tier,
      ...(isPrepared ? { prepared: true } : {}),
      exit_code: exit?.code ?? null,
      signal: exit?.signal ?? null,
      ...(endedAfterResult ? { ended_after_result: true } : {}),
      ...(exit?.outOfMemory === true ? { out_of_memory: true } : {}),
      results: transcript.resultCount,
      retries: transcript.retryCount,
      stdout_bytes: stdoutBytes,
      ...(transcript.garbageLines === 0 ? {} : { garbage_lines: transcript.garbageLines }),
    },
    stderrTail: verdict.outcome === 'completed' ? '' : (exit?.stderrTail ?? ''),
  };
}

function spentBy({ model, result }: Transcript, durationMs: number): Spent {
  const costUsd = result?.total_cost_usd;
  return {
    durationMs,
    model,
    inputTokens: result?.usage?.input_tokens ?? null,
    outputTokens: result?.usage?.output_tokens ?? null,
    costMicroUsd: costUsd === undefined ? null : Math.round(costUsd * 1e6),
  };
}

function difference(later: number | null, earlier: number | null): number | null {
  return later === null || earlier === null ? null : Math.max(0, later - earlier);
}
