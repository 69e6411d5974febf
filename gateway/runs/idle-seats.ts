// The prepared processes that wait for a run, oldest first, and those that are being cleared away.
import type { Log } from '#shared/log.ts';

import type { RunSeat } from './run-seat.ts';

export type IdleSeat = {
  seat: RunSeat;
  /** The name of the login that it was started with; empty without one. */
  login: string;
};

export type IdleSeats = {
  add: (each: IdleSeat) => void;
  /** Takes the oldest of this kind out: whoever gets it clears it away. */
  takeFirst: (fits: (each: IdleSeat) => boolean) => RunSeat | null;
  /** Clears away what is not wanted any more. */
  drop: (isUnwanted: (each: IdleSeat) => boolean) => void;
  has: (each: IdleSeat) => boolean;
  count: () => number;
  newest: () => IdleSeat | null;
  /** Resolves when nothing is left of all that were dropped. */
  allGone: () => Promise<void>;
};

export function createIdleSeats(clearSeat: (seat: RunSeat) => Promise<void>, log: Log): IdleSeats {
  let idle: IdleSeat[] = [];
  const leaving = new Set<Promise<void>>();

  const clear = ({ seat }: IdleSeat): void => {
    const cleared = clearSeat(seat)
      .catch((err: unknown) => log.error({ err }, 'a prepared run could not be cleared up'))
      .finally(() => leaving.delete(cleared));
    leaving.add(cleared);
  };
  return {
    add: (each) => void idle.push(each),
    takeFirst(fits) {
      const found = idle.find(fits);
      if (found === undefined) return null;
      idle = idle.filter((each) => each !== found);
      return found.seat;
    },
    drop(isUnwanted) {
      const unwanted = idle.filter(isUnwanted);
      idle = idle.filter((each) => !unwanted.includes(each));
      unwanted.forEach(clear);
    },
    has: (each) => idle.includes(each),
    count: () => idle.length,
    newest: () => idle.at(-1) ?? null,
    async allGone() {
      await Promise.all(leaving);
    },
  };
}
