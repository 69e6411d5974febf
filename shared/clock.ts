// Time is passed in, so that a test can stop it.
import { setTimeout as sleepFor } from 'node:timers/promises';

export type Clock = {
  /** Wall-clock time in milliseconds since the epoch, for timestamps only. */
  now(): number;
  /** Milliseconds that never jump, for deadlines and durations. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  sleep: (ms, signal) => sleepFor(ms, undefined, signal === undefined ? {} : { signal }),
};

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
