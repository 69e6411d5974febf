// Until when nothing is started after a window said no. Pure.

/** For a limit that does not say when it ends. */
export const unknownResetMs = 15 * 60_000;
/** The longest window has a week: a reset further away is a mistake. */
const believedMs = 8 * 24 * 60 * 60_000;
const firstBackoffMs = 30_000;

export type LimitTold = {
  /** Epoch milliseconds, as is `now`. */
  resetsAt: number | null;
  now: number;
  /** How many runs have tried since the queue was parked, and were told to wait again. */
  failedProbes: number;
};

/** The first probe waits for the reset and no longer, each next one twice as long as the one before as well. */
export function pauseEnd({ resetsAt, now, failedProbes }: LimitTold): number {
  const isBelieved = resetsAt !== null && resetsAt - now <= believedMs;
  const end = isBelieved ? resetsAt : now + unknownResetMs;
  return Math.max(end, now + backoffMs(failedProbes));
}

function backoffMs(failedProbes: number): number {
  if (failedProbes === 0) return 0;
  return Math.min(unknownResetMs, firstBackoffMs * 2 ** (failedProbes - 1));
}

/** For `Retry-After`. */
export function secsUntil(end: number, now: number): number {
  return Math.max(1, Math.ceil((end - now) / 1000));
}
