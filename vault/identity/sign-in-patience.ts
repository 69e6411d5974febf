// Slows those who guess passwords, each only where it guesses from: the owner of an account can
// still sign in from elsewhere.
import type { Clock } from '#shared/clock.ts';
import { createRecentMap } from '#shared/recent-map.ts';

const wrongBeforeWait = 5;
const longestWaitSecs = 300;
// Longer than it takes to reach the longest wait, so that pausing gains a guesser nothing.
const forgottenAfterMs = 3_600_000;

const addressWindowMs = 600_000;
const wrongPerAddress = 30;

const maxEntries = 4096;

export type SignInPatience = {
  /**
   * Asked before a password is checked: whole seconds to wait, or null for an attempt that may
   * begin. It counts as wrong until `noteRight`, so that many at once are no more than one after
   * the other. `account` is the name as it is compared, also of a user who does not exist.
   */
  waitSecs(account: string, address: string): number | null;
  /** The wait for the next attempt begins now and not when this one began. */
  noteWrong(account: string, address: string): void;
  noteRight(account: string, address: string): void;
};

/** Wrong attempts in a row. */
type Streak = { length: number; lastAt: number; waitsUntil: number };

export function createSignInPatience(clock: Clock): SignInPatience {
  const streaks = createRecentMap<Streak>(maxEntries);
  const attemptsByAddress = createRecentMap<number[]>(maxEntries);

  function streakOf(pair: string, now: number): Streak | undefined {
    const streak = streaks.get(pair);
    return streak === undefined || now - streak.lastAt >= forgottenAfterMs ? undefined : streak;
  }

  function attemptsOf(address: string, now: number): number[] {
    const attempts = attemptsByAddress.get(address) ?? [];
    return attempts.filter((at) => now - at < addressWindowMs);
  }

  return {
    waitSecs: (account, address) => {
      const now = clock.monotonicMs();
      const pair = pairOf(account, address);
      const streak = streakOf(pair, now);
      const attempts = attemptsOf(address, now);
      const waitsUntil = Math.max(streak?.waitsUntil ?? 0, endOfCrowd(attempts));
      if (waitsUntil > now) return Math.ceil((waitsUntil - now) / 1000);
      streaks.set(pair, streakFrom((streak?.length ?? 0) + 1, now));
      attemptsByAddress.set(address, [...attempts, now]);
      return null;
    },
    noteWrong: (account, address) => {
      const now = clock.monotonicMs();
      const pair = pairOf(account, address);
      streaks.set(pair, streakFrom(streakOf(pair, now)?.length ?? 1, now));
    },
    noteRight: (account, address) => {
      streaks.delete(pairOf(account, address));
      // Only its own attempt: who has one account must not guess at the others for ever.
      attemptsByAddress.get(address)?.pop();
    },
  };
}

function streakFrom(length: number, now: number): Streak {
  return { length, lastAt: now, waitsUntil: now + waitMs(length) };
}

function waitMs(wrong: number): number {
  if (wrong < wrongBeforeWait) return 0;
  return 1000 * Math.min(longestWaitSecs, 2 ** (wrong - wrongBeforeWait));
}

/** When an address that was wrong too often may try again: its oldest attempt is forgotten then. */
function endOfCrowd(attempts: number[]): number {
  const oldest = attempts.at(-wrongPerAddress);
  return oldest === undefined ? 0 : oldest + addressWindowMs;
}

function pairOf(account: string, address: string): string {
  return JSON.stringify([account, address]);
}
