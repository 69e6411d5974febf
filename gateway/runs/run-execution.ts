// One run from the start of its process to its end: bound, watched, stopped when it must be, judged.
import type { Clock } from '#shared/clock.ts';

import type { Checkpoint } from '../checkpoint.ts';
import type { ClaudeTask } from '../claude/claude-binding.ts';
import type { ClaudeEvent } from '../claude/claude-events.ts';
import { prepareClaude } from '../claude/claude-process.ts';
import type { ClaudeExit, ClaudeStart } from '../claude/claude-process.ts';
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
import type { StopReason, Verdict } from './verdict.ts';

export type ExecutionReport = {
  verdict: Verdict;
  transcript: Transcript;
  exit: ClaudeExit;
  phases: ExecutionPhases;
};

/** Milliseconds since the process was started; null for what it did not come to. */
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

export function startExecution(
  start: ClaudeStart,
  task: ClaudeTask,
  limits: { deadlines: DeadlineLimits; disk: RunDiskLimits },
  listener: ExecutionListener,
  clock: Clock,
): Execution {
  const { checkpoint } = listener;
  const startedAt = clock.monotonicMs();
  const sinceStart = (): number => Math.round(clock.monotonicMs() - startedAt);
  const claude = prepareClaude(start, clock);
  checkpoint('spawned');
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
  const deadlines = watchDeadlines(limits.deadlines, clock, stop);
  watchRunDisk(start.directory.root, limits.disk, clock, over.signal, () => stop('disk_full'));

  const linger = createLinger(clock, over.signal, () => {
    endedAfterResult = true;
    claude.kill();
  });
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
      claude.finish();
      linger.begin();
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
    claude.bind(task, { onEvent, onTooMuchOutput: () => stop('output_too_large') });
  };
  const bound = bind().catch((err: unknown) => {
    claude.kill();
    throw err;
  });
  // Whoever waits for the end hears of it.
  bound.catch(() => {});

  const settle = async (exit: ClaudeExit): Promise<ExecutionReport> => {
    checkpoint('exit_seen');
    deadlines.stop();
    over.abort();
    await bound;
    const seen = { transcript, stopped, endedAfterResult, wantsSchema: task.jsonSchema !== null };
    const verdict = decideVerdict({ ...seen, ...evidenceOf(exit) }, clock.now());
    return { verdict, transcript, exit, phases: { ...phases, totalMs: sinceStart() } };
  };
  return { stop, ended: claude.exited.then(settle) };
}

function evidenceOf(exit: ClaudeExit) {
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
