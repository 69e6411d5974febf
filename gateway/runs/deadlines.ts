// The three clocks of a run: until its first sign of life, between two of them, and in all.
import type { Clock } from '#shared/clock.ts';

export type DeadlineLimits = { startMs: number; idleMs: number; totalMs: number };
export type ExpiredDeadline = 'timeout_start' | 'timeout_idle' | 'timeout_total';

export type Deadlines = {
  sawProgress: () => void;
  stop: () => void;
};

/** Calls `onExpired` once, with the first that is over, unless stopped before. */
export function watchDeadlines(
  limits: DeadlineLimits,
  clock: Clock,
  onExpired: (deadline: ExpiredDeadline) => void,
): Deadlines {
  const stopped = new AbortController();
  const startedAt = clock.monotonicMs();
  let progressAt: number | null = null;

  const next = (): { deadline: ExpiredDeadline; at: number } => {
    const total = { deadline: 'timeout_total' as const, at: startedAt + limits.totalMs };
    const silence =
      progressAt === null
        ? { deadline: 'timeout_start' as const, at: startedAt + limits.startMs }
        : { deadline: 'timeout_idle' as const, at: progressAt + limits.idleMs };
    return silence.at < total.at ? silence : total;
  };
  const watch = async (): Promise<void> => {
    for (;;) {
      const { deadline, at } = next();
      const leftMs = at - clock.monotonicMs();
      if (leftMs <= 0) return onExpired(deadline);
      // The first sign of life may bring the next deadline closer than the one slept for.
      await clock.sleep(Math.min(leftMs, limits.idleMs), stopped.signal);
    }
  };
  // Rejects only because it was stopped.
  watch().catch(() => {});

  return {
    sawProgress: () => (progressAt = clock.monotonicMs()),
    stop: () => stopped.abort(),
  };
}
