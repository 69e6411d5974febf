// Gives waiting runs their turn: as soon as a place is free and the machine can carry one more.
import type { Clock } from '#shared/clock.ts';

import type { WaitingRun } from './fair-line.ts';
import type { RunQueue } from './run-queue.ts';
import type { StartRoom } from './start-room.ts';

export type RunDispatcher = {
  /** Somebody may be able to start. */
  wake: () => void;
  /** A run that has its turn already. */
  start: (run: WaitingRun, isClaimed: boolean) => void;
  /** No turn begins after this. */
  stop: () => void;
  isStopped: () => boolean;
  /** Resolves when no run is under way. */
  idle: () => Promise<void>;
  /** Looks again now and then, since memory and disk come back without telling anybody. */
  run: (signal: AbortSignal) => Promise<void>;
};

const lookAgainMs = 1000;

export function createRunDispatcher(parts: {
  queue: RunQueue;
  room: Pick<StartRoom, 'noteStart'>;
  /** Never rejects. */
  takeTurn: (run: WaitingRun, isClaimed: boolean) => Promise<unknown>;
  /** A place is free again, and whoever waited for it has had the choice. */
  onTurnOver: () => void;
  clock: Clock;
}): RunDispatcher {
  const { queue, room, clock } = parts;
  const underWay = new Set<Promise<unknown>>();
  let isStopped = false;

  const next = (): WaitingRun | null => (isStopped ? null : queue.next());
  const start = (run: WaitingRun, isClaimed: boolean): void => {
    room.noteStart();
    const turn = parts.takeTurn(run, isClaimed).finally(() => {
      underWay.delete(turn);
      queue.giveBack(run);
      wake();
      parts.onTurnOver();
    });
    underWay.add(turn);
  };
  const wake = (): void => {
    for (let run = next(); run !== null; run = next()) start(run, false);
  };
  return {
    wake,
    start,
    stop: () => void (isStopped = true),
    isStopped: () => isStopped,
    async idle() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
    async run(signal) {
      while (!signal.aborted) {
        wake();
        await clock.sleep(lookAgainMs, signal).catch(() => {});
      }
    },
  };
}
