// How many requests a principal may make in any 60 seconds.
import type { Clock } from '#shared/clock.ts';
import { createRecentMap } from '#shared/recent-map.ts';

const windowMs = 60_000;
const maxPrincipals = 4096;

export type Rate = { perMinute: number; burst: number };

export type Taken =
  | {
      ok: true;
      remaining: number;
      limit: number;
      /** Until the oldest request leaves the window and makes room for another. */
      resetSecs: number;
    }
  | { ok: false; retryAfterSecs: number };

export type RateLimit = {
  /** Counts a request, unless it is refused. */
  take(principalId: string, rate: Rate): Taken;
};

// The times of the counted requests; those before `start` have left the window.
type Ring = { times: number[]; start: number };

export function createRateLimit(clock: Clock): RateLimit {
  const rings = createRecentMap<Ring>(maxPrincipals);

  function ringOf(principalId: string): Ring {
    const known = rings.get(principalId);
    if (known !== undefined) return known;
    const ring = { times: [], start: 0 };
    rings.set(principalId, ring);
    return ring;
  }

  return {
    take: (principalId, { perMinute, burst }) => {
      // Whole, so that the wait told is enough to the last digit.
      const now = Math.floor(clock.monotonicMs());
      const limit = perMinute + burst;
      const ring = ringOf(principalId);
      leaveBehind(ring, now - windowMs);
      const count = ring.times.length - ring.start;
      if (count >= limit) {
        // Not the oldest when the limit was lowered meanwhile: more than one must leave first.
        return { ok: false, retryAfterSecs: secsLeft(ring.times.at(-limit), now) };
      }
      ring.times.push(now);
      const resetSecs = secsLeft(ring.times[ring.start], now);
      return { ok: true, remaining: limit - count - 1, limit, resetSecs };
    },
  };
}

// Cut off only now and then, so that a request costs the same however many there were.
function leaveBehind(ring: Ring, endMs: number): void {
  const { times } = ring;
  while ((times[ring.start] ?? Infinity) <= endMs) ring.start += 1;
  if (ring.start * 2 < times.length) return;
  times.splice(0, ring.start);
  ring.start = 0;
}

function secsLeft(takenAtMs: number | undefined, now: number): number {
  return Math.max(1, Math.ceil(((takenAtMs ?? now) + windowMs - now) / 1000));
}
