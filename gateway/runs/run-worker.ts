// Does one run with everything it needs around it: the installation, a directory, the login. Leaves nothing behind.
import type { Clock } from '#shared/clock.ts';
import type { JsonValue } from '#shared/json-value.ts';
import type { Log } from '#shared/log.ts';

import { passThrough } from '../checkpoint.ts';
import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeCredential } from '../claude/claude-credential.ts';
import type { ClaudeInstallation, ClaudeLookup } from '../claude/claude-installation.ts';
import type { LoginDirectory } from '../claude/login-directory.ts';
import { emptyTranscript, finalText } from '../claude/transcript.ts';
import type { Transcript } from '../claude/transcript.ts';
import type { ClaudeAttachment } from '../claude/user-message.ts';
import type { Sandbox } from '../sandbox/sandbox-tier.ts';
import { runUserOf } from '../sandbox/workspace-mount.ts';
import { checkUsable, toolsFor } from '../workspaces/workspace.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { AdmittedRun } from './admission.ts';
import { interruptedRetrySecs } from './outcome.ts';
import type { PreparedRuns } from './prepared-runs.ts';
import { startExecution } from './run-execution.ts';
import type { ExecutionListener, ExecutionReport } from './run-execution.ts';
import type { Spent } from './run-record.ts';
import type { RunSeat, SeatOptions } from './run-seat.ts';
import { createSingleSeating } from './run-seating.ts';
import type { Seating } from './run-seating.ts';
import { failureToStart } from './start-failure.ts';
import type { StopReason, Verdict } from './verdict.ts';

export type RunWork = {
  runId: string;
  admitted: AdmittedRun;
  attachments?: readonly ClaudeAttachment[];
  /** Its work directory, and the tools that go with it; without one the run has an empty directory and no tools. */
  workspace?: Workspace | null;
  /** Aborts, with a StopReason, when the run is to end before its time. */
  stop: AbortSignal;
  /** Where its process comes from; one of its own unless said. */
  seating?: Seating | undefined;
  listener?: Partial<ExecutionListener>;
};

export type FinishedRun = {
  verdict: Verdict;
  transcript: Transcript;
  wantsSchema: boolean;
  survivors: number;
  phases: RunPhases;
  spent: Spent;
  /** The conversation it was part of. */
  session: { sessionId: string; isReset: boolean } | null;
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
  const { sandbox, login, clock, log } = options;
  const seats = seatOptionsOf(options);

  const execute = async (work: RunWork): Promise<FinishedRun> => {
    const turnAt = clock.monotonicMs();
    const installation = await options.claude.current();
    const { workspace = null } = work;
    if (workspace !== null) await checkUsable(workspace, sandbox.tier);
    const seating = work.seating ?? singleSeating(options, seats, work);
    await using lease = await leaseOf(options, work);
    const start = { installation, loginDir: lease.dir, login: login?.current() ?? '' };
    const once = async (listener: ExecutionListener): Promise<TimedReport> => {
      const seat = await seating.take(start);
      const startedAt = clock.monotonicMs();
      let report: ExecutionReport | null = null;
      try {
        report = await executeIn(options, { ...work, listener }, seat, { lease, seating });
        return { report, beforeStartMs: startedAt - turnAt, isReady: seat.startedAt < turnAt };
      } finally {
        await seating.leave(seat, report);
      }
    };
    const listener = { ...silent, ...work.listener };
    let done = await once(listener);
    if (!work.stop.aborted && (await seating.startOver(done.report))) {
      // The run has begun already.
      done = await once({ ...listener, begun: silent.begun });
    }
    return finishedRun(work, done, installation, sandbox, seating.session());
  };
  return {
    async work(work) {
      try {
        return await execute(work);
      } catch (err) {
        const isStopped = work.stop.aborted;
        if (!isStopped) log.error({ err, run_id: work.runId }, 'run could not be started');
        const verdict: Verdict = isStopped
          ? stoppedBefore(stopReason(work.stop))
          : failureToStart(err);
        return notStarted(verdict);
      }
    },
  };
}

type TimedReport = {
  report: ExecutionReport;
  beforeStartMs: number;
  /** Its process was there before the run had its turn. */
  isReady: boolean;
};

export function seatOptionsOf(options: SeatOptions): SeatOptions {
  const { sandbox, credential, baseUrl, limits, clock } = options;
  return { sandbox, credential, baseUrl, limits, clock };
}

function singleSeating(
  { runsDir, prepared, log }: RunWorkerOptions,
  seats: SeatOptions,
  { runId, admitted, workspace = null }: RunWork,
): Seating {
  const profile = spawnProfileOf(admitted, workspace);
  return createSingleSeating(seats, { runId, runsDir, prepared, profile, workspace, log });
}

/** With the tools that go with a workspace. */
export function spawnProfileOf(
  { profile }: Pick<AdmittedRun, 'profile'>,
  workspace: Workspace | null,
): SpawnProfile {
  return workspace === null ? profile : { ...profile, tools: toolsFor(workspace) };
}

type WorkLease = AsyncDisposable & { dir: string | null; mayBeRefreshing: () => boolean };

/** Given back whatever happens; that it cannot be is no reason to lose the answer. */
async function leaseOf(
  { login, log, sandbox }: RunWorkerOptions,
  { runId, stop, workspace = null }: RunWork,
): Promise<WorkLease> {
  const lease = (await login?.lease(stop, runUserOf(sandbox, workspace))) ?? null;
  return {
    dir: lease?.dir ?? null,
    mayBeRefreshing: () => lease?.mayBeRefreshing() ?? false,
    async [Symbol.asyncDispose]() {
      await lease?.release().catch((err: unknown) => {
        log.error({ err, run_id: runId }, 'run could not be cleared up');
      });
    },
  };
}

const silent: ExecutionListener = {
  begun: () => Promise.resolve(),
  onEvent: () => {},
  onAnswer: () => {},
  checkpoint: passThrough,
};

async function executeIn(
  { deadlines, limits, clock }: RunWorkerOptions,
  {
    admitted,
    attachments = [],
    workspace = null,
    stop,
    listener,
  }: RunWork & { listener: ExecutionListener },
  { claude, directory }: RunSeat,
  { lease, seating: { keepsProcess } }: { lease: WorkLease; seating: Seating },
): Promise<ExecutionReport> {
  listener.checkpoint('spawned');
  const execution = startExecution(
    {
      claude,
      root: directory.root,
      task: { ...admitted.claude, attachments },
      deadlines: { ...deadlines, totalMs: admitted.timeoutMs },
      // New runs are refused at the whole reserve; those under way may use some of it.
      disk: {
        runBytes: limits.runDiskBytes,
        reserveBytes: limits.diskReserveBytes / 4,
        ...(workspace?.mode === 'rw' ? { alsoWritten: [workspace.path] } : {}),
      },
      keepsProcess,
      // Without tools nothing can begin after the result. A refresh of the login that is cut off would sign everybody out.
      endsWithResult: ({ retryCount }) =>
        !keepsProcess &&
        workspace === null &&
        !(retryCount > 0 && lease.dir !== null) &&
        !lease.mayBeRefreshing(),
    },
    listener,
    clock,
  );
  const stopIt = (): void => execution.stop(stopReason(stop));
  stop.addEventListener('abort', stopIt, { once: true });
  if (stop.aborted) stopIt();
  try {
    return await execution.ended;
  } finally {
    stop.removeEventListener('abort', stopIt);
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

function notStarted(verdict: Verdict): FinishedRun {
  return {
    verdict,
    transcript: emptyTranscript(),
    wantsSchema: false,
    survivors: 0,
    phases: { prepareMs: null, bindMs: null, firstTokenMs: null, durationMs: 0 },
    spent: nothingSpent,
    session: null,
    details: {},
    stderrTail: '',
  };
}

export const nothingSpent: Spent = {
  ...{ durationMs: null, model: null, inputTokens: null, outputTokens: null, costMicroUsd: null },
};

function finishedRun(
  { admitted }: RunWork,
  { report, beforeStartMs, isReady }: TimedReport,
  installation: ClaudeInstallation,
  sandbox: Sandbox,
  session: FinishedRun['session'],
): FinishedRun {
  const { transcript, exit, endedAfterResult, stdoutBytes, phases, verdict } = report;
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
    session,
    details: {
      ...(session?.isReset === true ? { session_reset: true } : {}),
      ...(exit === null ? { process_kept: true } : {}),
      first_event_ms: phases.firstEventMs,
      duration_ms: phases.totalMs,
      model_used: transcript.model,
      response_chars: finalText(transcript).length,
      input_tokens: spent.inputTokens,
      output_tokens: spent.outputTokens,
      cost_micro_usd: spent.costMicroUsd,
      cli_version: installation.version,
      sandbox: sandbox.tier,
      ...(isReady ? (session === null ? { prepared: true } : { live: true }) : {}),
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

function spentBy({ model, result, spend }: Transcript, durationMs: number): Spent {
  const costUsd = spend?.costUsd ?? null;
  const hasUsage = result?.usage !== undefined;
  return {
    durationMs,
    model,
    inputTokens: hasUsage ? (spend?.inputTokens ?? null) : null,
    outputTokens: hasUsage ? (spend?.outputTokens ?? null) : null,
    costMicroUsd: costUsd === null ? null : Math.round(costUsd * 1e6),
  };
}

function difference(later: number | null, earlier: number | null): number | null {
  return later === null || earlier === null ? null : Math.max(0, later - earlier);
}
