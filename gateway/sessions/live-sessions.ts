// The processes of conversations between two turns: kept for a while, so that the next turn costs no start.
import type { Clock } from '#shared/clock.ts';

import type { RunSeat } from '../runs/run-seat.ts';

export type LiveSessions = {
  /** The process of a session, its holder's from here on; one that does not fit is ended first. Null when none is kept. */
  take: (sessionSeq: number, fits: (seat: RunSeat) => boolean) => Promise<RunSeat | null>;
  keep: (sessionSeq: number, seat: RunSeat) => void;
  has: (sessionSeq: number) => boolean;
  /** Resolves when the process is gone. */
  end: (sessionSeq: number) => Promise<void>;
  /** Ends the one that has been idle longest, if there is one. */
  shed: () => void;
  count: () => number;
  /** None is kept after this. */
  close: () => Promise<void>;
};

type Kept = { seat: RunSeat; over: AbortController };

const exitsWithinMs = 2000;

/** @param keepMs 0: none is kept. @param max how many at most: the longest idle one goes. */
export function createLiveSessions(options: {
  keepMs: number;
  max: number;
  clock: Clock;
}): LiveSessions {
  const { keepMs, max, clock } = options;
  // In the order in which they became idle.
  const kept = new Map<number, Kept>();
  const leaving = new Map<number, Promise<void>>();
  let isClosed = false;

  const remove = (sessionSeq: number): RunSeat | null => {
    const found = kept.get(sessionSeq);
    kept.delete(sessionSeq);
    found?.over.abort();
    return found?.seat ?? null;
  };
  const leave = (sessionSeq: number, seat: RunSeat): Promise<void> => {
    const left = endGently(seat, clock).finally(() => leaving.delete(sessionSeq));
    leaving.set(sessionSeq, left);
    return left;
  };
  const end = async (sessionSeq: number): Promise<void> => {
    const seat = remove(sessionSeq);
    await (seat === null ? leaving.get(sessionSeq) : leave(sessionSeq, seat));
  };
  const shed = (): void => {
    const [oldest] = kept.keys();
    if (oldest !== undefined) void end(oldest);
  };
  return {
    async take(sessionSeq, fits) {
      const seat = remove(sessionSeq);
      if (seat !== null && fits(seat)) return seat;
      // Two processes of one conversation at once would both write to its transcript.
      await (seat === null ? leaving.get(sessionSeq) : leave(sessionSeq, seat));
      return null;
    },
    keep(sessionSeq, seat) {
      if (isClosed || max === 0 || keepMs === 0) {
        void leave(sessionSeq, seat);
        return;
      }
      if (kept.size >= max) shed();
      const over = new AbortController();
      kept.set(sessionSeq, { seat, over });
      clock.sleep(keepMs, over.signal).then(
        () => end(sessionSeq),
        () => {},
      );
      // It may end by itself, or be ended by the kernel.
      void seat.claude.exited.then(() => {
        if (kept.get(sessionSeq)?.seat === seat) remove(sessionSeq);
      });
    },
    has: (sessionSeq) => kept.has(sessionSeq),
    end,
    shed,
    count: () => kept.size,
    async close() {
      isClosed = true;
      for (const sessionSeq of [...kept.keys()]) void end(sessionSeq);
      await Promise.all(leaving.values());
    },
  };
}

/** Without input it exits by itself. */
async function endGently({ claude }: RunSeat, clock: Clock): Promise<void> {
  const gone = new AbortController();
  claude.finish();
  clock.sleep(exitsWithinMs, gone.signal).then(claude.kill, () => {});
  await claude.exited;
  gone.abort();
}
