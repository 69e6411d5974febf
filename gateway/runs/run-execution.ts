// One run from the start of its process to its end: bound, watched, stopped when it must be, judged.
import type { Clock } from '#shared/clock.ts';

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
  durationMs: number;
  firstEventMs: number | null;
};

export type Execution = {
  /** Ends the run before its time; the first reason counts. */
  stop: (reason: StopReason) => void;
  /** Never rejects. */
  ended: Promise<ExecutionReport>;
};

export function startExecution(
  start: ClaudeStart,
  task: ClaudeTask,
  limits: { deadlines: DeadlineLimits; disk: RunDiskLimits },
  onAnswer: () => void,
  clock: Clock,
): Execution {
  const startedAt = clock.monotonicMs();
  const claude = prepareClaude(start, clock);
  const transcriber = createTranscriber();
  const { transcript } = transcriber;
  const over = new AbortController();
  let stopped: StopReason | null = null;
  let endedAfterResult = false;
  let firstEventMs: number | null = null;

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
    firstEventMs ??= clock.monotonicMs() - startedAt;
    // An answer to a control request says that the CLI has started, not that it begins with the prompt.
    if (event.type !== 'garbage' && event.type !== 'control') deadlines.sawProgress();
    if (event.type === 'init') linger.cancel();
    transcriber.add(event);
    if (event.type === 'assistant' && event.failure === null) onAnswer();
    if (event.type === 'result') {
      claude.finish();
      linger.begin();
    }
    if (event.type === 'retry') {
      const reason = reasonNotToRetry(event);
      if (reason !== null) stop(reason);
    }
  };
  claude.bind(task, { onEvent, onTooMuchOutput: () => stop('output_too_large') });

  const settle = (exit: ClaudeExit): ExecutionReport => {
    deadlines.stop();
    over.abort();
    const seen = { transcript, stopped, endedAfterResult, wantsSchema: task.jsonSchema !== null };
    const verdict = decideVerdict({ ...seen, ...evidenceOf(exit) }, clock.now());
    const durationMs = Math.round(clock.monotonicMs() - startedAt);
    return { verdict, transcript, exit, durationMs, firstEventMs };
  };
  return { stop, ended: claude.exited.then(settle) };
}

function evidenceOf(exit: ClaudeExit) {
  return {
    exitCode: exit.code,
    signal: exit.signal,
    startFailureCode: exit.startFailure === null ? null : (exit.startFailure.code ?? 'unknown'),
    wasSilent: exit.stdoutBytes === 0,
    cutOff: exit.cutOff,
    stderrTail: exit.stderrTail,
  };
}
