// When work may be done ahead of time without holding up a run.
import type { QueueCounts } from './run-queue.ts';

/** A run that has just begun is still starting its process: it has the processors until then. */
const beginningMs = 1000;

export function isQuiet(
  { running, waiting, idleMs }: Pick<QueueCounts, 'running' | 'waiting' | 'idleMs'>,
  concurrency: number,
): boolean {
  if (waiting > 0 || running >= concurrency) return false;
  return running === 0 || idleMs >= beginningMs;
}
