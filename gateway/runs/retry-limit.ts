// When a run is not left to try the API again: what the API asks to wait is the caller's to wait, not a process's.
import type { ClaudeEvent } from '../claude/claude-events.ts';
import type { StopReason } from './verdict.ts';

const delayMsMax = 10_000;

export function reasonNotToRetry({
  status,
  delayMs,
  isExtra = false,
}: Extract<ClaudeEvent, { type: 'retry' }>): StopReason | null {
  if (delayMs <= delayMsMax && !isExtra) return null;
  if (status === 429) return 'rate_limited';
  return status === 529 ? 'overloaded' : 'upstream_error';
}
