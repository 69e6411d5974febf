// How often one address may be wrong. Only wrong tokens are counted, so nobody can lock an app out.
import type { Clock } from '../clock.ts';

const windowMs = 60_000;
const attemptsPerWindow = 30;
const maxAddresses = 4096;

export type WrongTokenLimit = {
  /** Counts a wrong token; seconds to wait when there have been too many, else null. */
  count(address: string): number | null;
};

export function createWrongTokenLimit(clock: Clock): WrongTokenLimit {
  // In order of the last attempt, so that the address silent for longest is forgotten first.
  const attemptsByAddress = new Map<string, number[]>();

  function remember(address: string, attempts: number[]): void {
    attemptsByAddress.delete(address);
    attemptsByAddress.set(address, attempts);
    if (attemptsByAddress.size <= maxAddresses) return;
    for (const oldest of attemptsByAddress.keys()) {
      attemptsByAddress.delete(oldest);
      return;
    }
  }

  return {
    count: (address) => {
      const now = clock.monotonicMs();
      const earlier = attemptsByAddress.get(address) ?? [];
      const attempts = earlier.filter((at) => now - at < windowMs);
      const [first] = attempts;
      const isTooMany = first !== undefined && attempts.length >= attemptsPerWindow;
      if (!isTooMany) attempts.push(now);
      remember(address, attempts);
      return isTooMany ? Math.ceil((first + windowMs - now) / 1000) : null;
    },
  };
}
