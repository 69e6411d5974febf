// One run in its process, from the turn it gets to its end: asked, watched, stopped when it must be, judged.
import type { Clock } from '#shared/clock.ts';

import type { Checkpoint } from '../checkpoint.ts';
import type { ClaudeTask } from '../claude/claude-binding.ts';
import type { ClaudeEvent, ClaudeResult } from '../claude/claude-events.ts';
import type { ClaudeExit, ClaudeProcess } from '../claude/claude-process.ts';
import { createTranscriber } from '../claude/transcript.ts';
import type { Transcript } from '../claude/transcript.ts';
import { watchDeadlines } from './deadlines.ts';
import type { DeadlineLimits } from './deadlines.ts';
import { createLinger } from './linger.ts';
import { reasonNotToRetry } from './retry-limit.ts';
import { watchRunDisk } from './run-disk-watch.ts';
import type { RunDiskLimits } from './run-disk-watch.ts';
import { climbDown } from './stop-ladder.ts';
import { decideVerdict } from './verdict.ts';
import type { Evidence, StopReason, Verdict } from './verdict.ts';

export type ExecutionReport = {
  verdict: Verdict;
  transcript: Transcript;
  /** Null when the process goes on living, for the next turn of its conversation. */
  exit: ClaudeExit | null;
  /** It had answered, and the gateway did not wait until it left by itself. */
  endedAfterResult: boolean;
  stdoutBytes: number;
  phases: ExecutionPhases;
};

/** Milliseconds since the execution began; null for what it did not come to. */
export type ExecutionPhases = {
  firstEventMs: number | null;
  /** It got its request. */
  boundMs: number | null;
  /** It took the request up. */
  initMs: number | null;
  /** The model began to answer. */
  firstTokenMs: number | null;
  totalMs: number;
};

export type Execution = {
  /** Ends the run before its time; the first reason counts. */
  stop: (reason: StopReason) => void;
  /** Rejects only with what `begun` rejected with: the process is gone then as well. */
  ended: Promise<ExecutionReport>;
};

export type ExecutionListener = {
  /** The process exists. What it resolves with is waited for before the process is told anything. */
  begun: (pid: number) => Promise<void>;
  onEvent: (event: ClaudeEvent) => void;
  /** A model has answered. */
  onAnswer: () => void;
  checkpoint: Checkpoint;
};

export type ExecutionPlan = {
  /** Started, and not in the middle of another turn. */
  claude: ClaudeProcess;
  /** Of everything the run puts on disk. */
  root: string;
  task: ClaudeTask;
  deadlines: DeadlineLimits;
  disk: RunDiskLimits;
  /** A process that has answered well stays. */
  keepsProcess: boolean;
  /**
   * Asked of a process that has answered well and does not stay: whether it may be ended now. Its own way out takes longer than all
   * that the gateway does for a run.
   */
  endsWithResult: (transcript: Transcript) => boolean;
};

export function startExecution(
  plan: ExecutionPlan,
  listener: ExecutionListener,
  clock: Clock,
): Execution {
  const { claude, task } = plan;
  const { checkpoint } = listener;
  const startedAt = clock.monotonicMs();
  const sinceStart = (): number => Math.round(clock.monotonicMs() - startedAt);
  const transcriber = createTranscriber();
  const { transcript } = transcriber;
  const over = new AbortController();
  const phases: Omit<ExecutionPhases, 'totalMs'> = {
    ...{ firstEventMs: null, boundMs: null, initMs: null, firstTokenMs: null },
  };
  let stopped: StopReason | null = null;
  let endedAfterResult = false;

  const stop = (reason: StopReason): void => {
    if (stopped !== null || endedAfterResult) return;
    if (transcript.result === null) stopped = reason;
    else endedAfterResult = true;
    void climbDown(claude, endedAfterResult ? 'at_once' : reason, clock, over.signal);
  };
  const deadlines = watchDeadlines(plan.deadlines, clock, stop);
  watchRunDisk(plan.root, plan.disk, clock, over.signal, () => stop('disk_full'));
  const stayed = Promise.withResolvers<ClaudeExit | null>();

  const endAfterResult = (): void => {
    if (over.signal.aborted) return;
    endedAfterResult = true;
    claude.kill();
  };
  const linger = createLinger(clock, over.signal, endAfterResult);
  const onEvent = (event: ClaudeEvent): void => {
    if (phases.firstEventMs === null) checkpoint('first_event');
    phases.firstEventMs ??= sinceStart();
    // An answer to a control request says that the CLI has started, not that it begins with the prompt.
    if (event.type !== 'garbage' && event.type !== 'control') deadlines.sawProgress();
    if (event.type === 'init') {
      phases.initMs ??= sinceStart();
      linger.cancel();
    }
    if (event.type === 'delta') phases.firstTokenMs ??= sinceStart();
    transcriber.add(event);
    listener.onEvent(event);
    if (event.type === 'assistant' && event.failure === null) listener.onAnswer();
    if (event.type === 'result') {
      checkpoint('result_seen');
      if (plan.keepsProcess && stopped === null && isGood(event.result)) {
        claude.endTurn();
        stayed.resolve(null);
      } else {
        claude.finish();
        linger.begin();
        const isOver = stopped === null && isGood(event.result) && plan.endsWithResult(transcript);
        // After the rest of what has been read: whatever was written before the end is heard all the same.
        if (isOver) queueMicrotask(endAfterResult);
      }
    }
    if (event.type === 'retry') {
      const reason = reasonNotToRetry(event);
      if (reason !== null) stop(reason);
    }
  };
  const bind = async (): Promise<void> => {
    if (claude.pid === null) return;
    await listener.begun(claude.pid);
    checkpoint('pid_stored');
    if (stopped !== null || over.signal.aborted) return;
    phases.boundMs = sinceStart();
    claude.ask(task, { onEvent, onTooMuchOutput: () => stop('output_too_large') });
  };
  const bound = bind().catch((err: unknown) => {
    claude.kill();
    throw err;
  });
  // Whoever waits for the end hears of it.
  bound.catch(() => {});

  const settle = async (exit: ClaudeExit | null): Promise<ExecutionReport> => {
    if (exit !== null) checkpoint('exit_seen');
    deadlines.stop();
    over.abort();
    await bound;
    const seen = { transcript, stopped, endedAfterResult, wantsSchema: task.jsonSchema !== null };
    const evidence = { ...seen, ...(exit === null ? stillThere : evidenceOf(exit)) };
    return {
      verdict: decideVerdict(evidence, clock.now()),
      transcript,
      exit,
      endedAfterResult,
      stdoutBytes: exit?.stdoutBytes ?? claude.turnBytes(),
      phases: { ...phases, totalMs: sinceStart() },
    };
  };
  return { stop, ended: Promise.race([claude.exited, stayed.promise]).then(settle) };
}

function isGood({ subtype, is_error: isError }: ClaudeResult): boolean {
  return subtype === 'success' && !isError;
}

type ExitEvidence = Omit<Evidence, 'transcript' | 'stopped' | 'endedAfterResult' | 'wantsSchema'>;

const stillThere: ExitEvidence = {
  ...{ exitCode: 0, signal: null, startFailureCode: null, outOfMemory: false },
  ...{ wasSilent: false, cutOff: false, stderrTail: '' },
};

function evidenceOf(exit: ClaudeExit): ExitEvidence {
  return {
    exitCode: exit.code,
    signal: exit.signal,
    startFailureCode: exit.startFailure === null ? null : (exit.startFailure.code ?? 'unknown'),
    outOfMemory: exit.outOfMemory,
    wasSilent: exit.stdoutBytes === 0,
    cutOff: exit.cutOff,
    stderrTail: exit.stderrTail,
  };
}
