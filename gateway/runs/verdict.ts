// The verdict: everything seen of a run in, exactly one outcome out. Pure. Neither `subtype` nor the exit code is believed alone:
// the CLI reports API errors as `subtype:"success"`, and good runs have been seen to exit with 1.
import { isoTime } from '#shared/clock.ts';
import type { ErrorDetails } from '#shared/errors.ts';

import type { ClaudeResult } from '../claude/claude-events.ts';
import { finalText } from '../claude/transcript.ts';
import type { Transcript } from '../claude/transcript.ts';
import { pauseEnd, secsUntil } from '../limits/limit-pause.ts';
import { statedLimit } from '../limits/limit-statement.ts';
import { interruptedRetrySecs } from './outcome.ts';
import type { FailedOutcome } from './outcome.ts';

/** Why the gateway itself ended a run. */
export type StopReason = Extract<
  FailedOutcome,
  | 'timeout_start'
  | 'timeout_idle'
  | 'timeout_total'
  | 'output_too_large'
  | 'rate_limited'
  | 'overloaded'
  | 'upstream_error'
  | 'disk_full'
  | 'client_gone'
  | 'cancelled'
  | 'interrupted'
>;

export type Evidence = {
  transcript: Transcript;
  exitCode: number | null;
  signal: string | null;
  /** Set when the program could not be started at all. */
  startFailureCode: string | null;
  /** Why the gateway ended the run before its result was there. */
  stopped: StopReason | null;
  /** The gateway ended a process that stayed after its result: how it exited says nothing. */
  endedAfterResult: boolean;
  /** The kernel killed the process, not the gateway, because memory ran out. */
  outOfMemory: boolean;
  /** Nothing at all was written to stdout. */
  wasSilent: boolean;
  /** The output ended in the middle of a line. */
  cutOff: boolean;
  stderrTail: string;
  wantsSchema: boolean;
};

export type Verdict =
  | { outcome: 'completed' }
  | { outcome: FailedOutcome; message: string; retryAfterSecs?: number; details?: ErrorDetails };

/** @param now epoch milliseconds, to turn the reset of a limit into a wait. */
export function decideVerdict(evidence: Evidence, now: number): Verdict {
  const { transcript, stopped } = evidence;
  if (evidence.startFailureCode !== null) return startFailure(evidence.startFailureCode);
  if (stopped !== null) return stoppedByUs(stopped, transcript, now);
  if (transcript.result !== null) return fromResult(transcript.result, evidence, now);
  return withoutResult(evidence);
}

const spawnRetrySecs = 5;

function startFailure(code: string): Verdict {
  return failed('spawn_failed', `The run could not be started (${code}).`, spawnRetrySecs);
}

/** Words of the programs that stand between the gateway and claude, when they could not start it. */
const launcherSaid = /^(bwrap|choom|prlimit|setpriv): (.*)$/m;

function launcherFailure({ wasSilent, stderrTail }: Evidence): Verdict | null {
  const said = wasSilent ? launcherSaid.exec(stderrTail) : null;
  if (said === null) return null;
  const [, launcher = '', words = ''] = said;
  if (/failed to execute|execvp|find source path/.test(words) && /No such file/.test(words)) {
    return failed('cli_missing', 'The claude command is gone from where the gateway found it.');
  }
  return failed('spawn_failed', `The sandbox could not be made (${launcher}).`, spawnRetrySecs);
}

const stopMessages: Record<StopReason, string> = {
  timeout_start: 'Claude gave no sign of life in time.',
  timeout_idle: 'Claude went silent in the middle of the run.',
  timeout_total: 'The run was not done within its timeout_secs.',
  output_too_large:
    'The run wrote more than the gateway accepts: RUN_OUTPUT_LIMIT_MB, 8 MB of it in one line.',
  rate_limited: 'The API asks to wait before the next request.',
  overloaded: 'The API is overloaded.',
  upstream_error: 'The API failed and asks to wait.',
  disk_full: 'The run used up its disk space, or that of the gateway is nearly used up.',
  client_gone: 'The client went away.',
  cancelled: 'The run was cancelled.',
  interrupted: 'The gateway stopped before the run was done.',
};

function stoppedByUs(reason: StopReason, transcript: Transcript, now: number): Verdict {
  if (reason === 'rate_limited') return rateLimited(transcript, now);
  const message = stopMessages[reason];
  if (reason === 'overloaded' || reason === 'upstream_error') {
    return failed(reason, message, askedRetrySecs(transcript));
  }
  return reason === 'interrupted'
    ? failed(reason, message, interruptedRetrySecs)
    : failed(reason, message);
}

function fromResult(result: ClaudeResult, evidence: Evidence, now: number): Verdict {
  const { transcript } = evidence;
  switch (result.subtype) {
    case 'error_max_turns':
      return failed('max_turns', 'The run used up its max_turns.');
    case 'error_max_budget_usd':
      return failed('budget', 'The run used up its max_budget_usd.');
    case 'error_max_structured_output_retries':
      return failed('schema_invalid', 'The model did not give an answer that fits json_schema.');
    default:
  }
  if (result.stop_reason === 'refusal') return failed('refused', 'The model refused to answer.');
  if (result.is_error || result.subtype !== 'success') return fromApiError(result, transcript, now);
  const exitedWell = evidence.exitCode === 0 && evidence.signal === null;
  if (!exitedWell && !evidence.endedAfterResult) {
    return evidence.outOfMemory
      ? endedByKernel
      : failed('crashed', `Claude failed after its answer (${exitText(evidence)}).`);
  }
  if (evidence.wantsSchema) {
    return isPlainObject(result.structured_output)
      ? { outcome: 'completed' }
      : failed('schema_invalid', 'The model did not give an answer in the form of json_schema.');
  }
  if (statedLimit(transcript, now) !== null) return rateLimited(transcript, now);
  if (finalText(transcript).trim() === '')
    return failed('empty', 'The model gave an empty answer.');
  return { outcome: 'completed' };
}

function fromApiError(result: ClaudeResult, transcript: Transcript, now: number): Verdict {
  const status = result.api_error_status ?? null;
  const failure = transcript.failure;
  if (result.subtype === 'error_during_execution' && status === null && failure === null) {
    return failed('crashed', 'Claude broke off in the middle of the run.');
  }
  if (
    result.terminal_reason === 'prompt_too_long' ||
    result.terminal_reason === 'blocking_limit' ||
    status === 413
  ) {
    return failed('prompt_too_long', 'The prompt is longer than the model takes.');
  }
  if (failure === 'billing_error') {
    return failed(
      'billing',
      'The API refuses for billing reasons, such as a credit balance that is too low.',
    );
  }
  if (failure === 'authentication_failed' || status === 401 || status === 403) {
    return failed('auth', 'Claude is not signed in, or its credential is not accepted.');
  }
  if (failure === 'model_not_found' || status === 404) {
    return failed(
      'model_unavailable',
      'The model does not exist or may not be used with this credential.',
    );
  }
  const isLimit = failure === 'rate_limit' || status === 429;
  if (isLimit || statedLimit(transcript, now) !== null) return rateLimited(transcript, now);
  if (failure === 'max_output_tokens' || result.api_error === 'max_output_tokens') {
    return failed('max_output_tokens', 'The answer was longer than the model may write.');
  }
  if (status === 529 || (status === null && failure === 'overloaded')) {
    return failed('overloaded', stopMessages.overloaded, overloadedRetrySecs);
  }
  if (result.api_error === 'connection_failed') {
    return failed('upstream_error', connectionFailed(result.result ?? ''));
  }
  if (result.api_error === 'stream_idle_timeout') {
    return failed('upstream_error', 'The API went silent in the middle of its answer.');
  }
  return failed('upstream_error', `The API failed${status === null ? '' : ` (status ${status})`}.`);
}

/** The CLI names the error of the system at the end of its sentence, for a connection that was not made. */
function connectionFailed(said: string): string {
  const code = /\((E[A-Z_]{2,30})\)\s*$/.exec(said)?.[1];
  return code === undefined
    ? 'The connection to the API broke off.'
    : `The API cannot be reached from the gateway's host (${code}).`;
}

const overloadedRetrySecs = 30;
const unknownLimitRetryMs = 60_000;

/** A window of the subscription, or else the API: then the wait is the delay it asked for, a minute when it told none. */
function rateLimited(transcript: Transcript, now: number): Verdict {
  const { limitResetsAt, lastRetryDelayMs } = transcript;
  const stated = statedLimit(transcript, now);
  if (limitResetsAt !== null || stated !== null) {
    const resetsAt = limitResetsAt ?? stated?.resetsAt ?? null;
    return limitReached(pauseEnd({ resetsAt, now, failedProbes: 0 }), now);
  }
  const secs = Math.ceil((lastRetryDelayMs ?? unknownLimitRetryMs) / 1000);
  return failed('rate_limited', stopMessages.rate_limited, Math.max(1, secs));
}

/** @param until epoch milliseconds, as is `now`. */
export function limitReached(until: number, now: number) {
  const resetsAt = isoTime(until);
  return {
    outcome: 'rate_limited' as const,
    message: `The subscription has reached its limit. Ask again at ${resetsAt}.`,
    retryAfterSecs: secsUntil(until, now),
    details: { resets_at: resetsAt },
  };
}

/** An overload that named no wait is tried again in a moment by the CLI, which is too soon for a caller. */
function askedRetrySecs({ lastRetryDelayMs }: Transcript): number {
  return Math.max(overloadedRetrySecs, Math.ceil((lastRetryDelayMs ?? 0) / 1000));
}

const endedByKernel = failed(
  'crashed',
  'The kernel ended Claude because the memory of the gateway ran out.',
);

function withoutResult(evidence: Evidence): Verdict {
  const { transcript } = evidence;
  const { refusedControl } = transcript;
  if (refusedControl?.requestId === 'initialize' && evidence.wantsSchema) {
    return failed('schema_invalid', 'Claude does not accept this json_schema.');
  }
  if (evidence.outOfMemory) return endedByKernel;
  const launcher = launcherFailure(evidence);
  if (launcher !== null) return launcher;
  if (evidence.cutOff)
    return failed('crashed', 'The output of Claude ended in the middle of a line.');
  return failed('crashed', `Claude ended without an answer (${exitText(evidence)}).`);
}

function exitText({ exitCode, signal }: Evidence): string {
  return signal === null ? `exit code ${exitCode ?? 'unknown'}` : `signal ${signal}`;
}

function failed(outcome: FailedOutcome, message: string, retryAfterSecs?: number): Verdict {
  return { outcome, message, ...(retryAfterSecs === undefined ? {} : { retryAfterSecs }) };
}

function isPlainObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
