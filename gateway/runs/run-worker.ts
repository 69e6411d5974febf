// Does one run with everything it needs around it: the installation, a directory, the login. Leaves nothing behind.
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import type { JsonValue } from '#shared/json-value.ts';
import type { Log } from '#shared/log.ts';

import type { ClaudeCredential } from '../claude/claude-credential.ts';
import { ClaudeUnavailableError } from '../claude/claude-installation.ts';
import type { ClaudeInstallation, ClaudeLookup } from '../claude/claude-installation.ts';
import type { LoginDirectory, LoginLease } from '../claude/login-directory.ts';
import { emptyTranscript, finalText } from '../claude/transcript.ts';
import type { Transcript } from '../claude/transcript.ts';
import type { ClaudeAttachment } from '../claude/user-message.ts';
import { runDirectoryAt } from '../sandbox/run-directory-layout.ts';
import type { RunDirectory } from '../sandbox/run-directory-layout.ts';
import { makeRunDirectory, removeRunDirectory } from '../sandbox/run-directory.ts';
import type { Sandbox } from '../sandbox/sandbox-tier.ts';
import type { AdmittedRun } from './admission.ts';
import { startExecution } from './run-execution.ts';
import type { Execution, ExecutionReport } from './run-execution.ts';
import type { StopReason, Verdict } from './verdict.ts';

export type RunWork = {
  runId: string;
  admitted: AdmittedRun;
  attachments?: readonly ClaudeAttachment[];
  queueMs: number;
  clientGone: AbortSignal;
};

export type FinishedRun = {
  verdict: Verdict;
  transcript: Transcript;
  wantsSchema: boolean;
  durationMs: number;
  survivors: number;
  /** For the audit row and the log. */
  details: Record<string, JsonValue>;
  /** What the CLI said beside its output; it may quote the prompt. Empty for a run that was answered. */
  stderrTail: string;
};

export type RunWorker = {
  /** Never throws for what a run can do: the verdict says how it went. */
  work: (work: RunWork) => Promise<FinishedRun>;
  /** Ends what is running; nothing starts any more. */
  interruptAll: () => void;
};

export type RunWorkerOptions = {
  sandbox: Sandbox;
  claude: ClaudeLookup;
  credential: ClaudeCredential;
  login: LoginDirectory | null;
  baseUrl: string | null;
  runsDir: string;
  deadlines: { startMs: number; idleMs: number };
  /** A model has answered a run. */
  onAnswer: () => void;
  limits: { outputBytes: number; runDiskBytes: number; diskReserveBytes: number };
  clock: Clock;
  log: Log;
};

export function createRunWorker(options: RunWorkerOptions): RunWorker {
  const interrupted = new AbortController();

  const execute = async (work: RunWork): Promise<FinishedRun> => {
    const installation = await options.claude.current();
    const directory = runDirectoryAt(join(options.runsDir, work.runId));
    const cancel = AbortSignal.any([work.clientGone, interrupted.signal]);
    let lease: LoginLease | null = null;
    try {
      makeRunDirectory(directory, options.sandbox.runUid);
      lease = (await options.login?.lease(cancel)) ?? null;
      const execution = start(options, work, installation, directory, lease);
      const stop = (): void => execution.stop(stopReason(work));
      cancel.addEventListener('abort', stop, { once: true });
      if (cancel.aborted) stop();
      const report = await execution.ended;
      cancel.removeEventListener('abort', stop);
      return finishedRun(work, report, installation, options.sandbox);
    } finally {
      await clearUp(options.log, work.runId, directory.root, lease);
    }
  };
  return {
    async work(work) {
      try {
        return await execute(work);
      } catch (err) {
        const isStopped = work.clientGone.aborted || interrupted.signal.aborted;
        if (!isStopped) options.log.error({ err, run_id: work.runId }, 'run could not be started');
        const verdict = isStopped
          ? { outcome: stopReason(work), message: 'The run had not started yet.' }
          : failureToStart(err);
        return notStarted(work, verdict);
      }
    },
    interruptAll: () => interrupted.abort(),
  };
}

function start(
  options: RunWorkerOptions,
  { runId, admitted, attachments = [] }: RunWork,
  { program }: ClaudeInstallation,
  directory: RunDirectory,
  lease: LoginLease | null,
): Execution {
  const { sandbox, credential, baseUrl, limits } = options;
  return startExecution(
    {
      runId,
      sandbox,
      program,
      directory,
      profile: admitted.profile,
      credential: credential.variables,
      loginDir: lease?.dir ?? null,
      baseUrl,
      outputBytesMax: limits.outputBytes,
    },
    { ...admitted.claude, attachments },
    {
      deadlines: { ...options.deadlines, totalMs: admitted.timeoutMs },
      // New runs are refused at the whole reserve; those under way may use some of it.
      disk: { runBytes: limits.runDiskBytes, reserveBytes: limits.diskReserveBytes / 4 },
    },
    options.onAnswer,
    options.clock,
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

function stopReason({ clientGone }: RunWork): StopReason {
  return clientGone.aborted ? 'client_gone' : 'interrupted';
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

function isDiskFull(err: unknown): boolean {
  return err instanceof Error && 'code' in err && (err.code === 'ENOSPC' || err.code === 'EDQUOT');
}

function notStarted(work: RunWork, verdict: Verdict): FinishedRun {
  return {
    verdict,
    transcript: emptyTranscript(),
    wantsSchema: false,
    durationMs: 0,
    survivors: 0,
    details: { queue_ms: work.queueMs },
    stderrTail: '',
  };
}

function finishedRun(
  { admitted, queueMs }: RunWork,
  report: ExecutionReport,
  installation: ClaudeInstallation,
  sandbox: Sandbox,
): FinishedRun {
  const { transcript, exit, durationMs, verdict } = report;
  const { result } = transcript;
  const answered = verdict.outcome === 'completed';
  return {
    verdict,
    transcript,
    wantsSchema: admitted.claude.jsonSchema !== null,
    durationMs,
    survivors: exit.survivors,
    details: {
      queue_ms: queueMs,
      first_event_ms: report.firstEventMs === null ? null : Math.round(report.firstEventMs),
      duration_ms: durationMs,
      model_used: transcript.model,
      response_chars: finalText(transcript).length,
      input_tokens: result?.usage?.input_tokens ?? null,
      output_tokens: result?.usage?.output_tokens ?? null,
      cost_micro_usd:
        result?.total_cost_usd === undefined ? null : Math.round(result.total_cost_usd * 1e6),
      cli_version: installation.version,
      sandbox: sandbox.tier,
      exit_code: exit.code,
      signal: exit.signal,
      results: transcript.resultCount,
      retries: transcript.retryCount,
      stdout_bytes: exit.stdoutBytes,
      ...(transcript.garbageLines === 0 ? {} : { garbage_lines: transcript.garbageLines }),
    },
    stderrTail: answered ? '' : exit.stderrTail,
  };
}
