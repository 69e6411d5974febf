// Starts processes ahead of their runs, one at a time and when that disturbs nobody, and lets those go that should not wait longer.
import { join } from 'node:path';

import { plainProfile } from '../claude/claude-arguments.ts';
import { isQuiet } from '../queue/quiet-moment.ts';
import type { IdleSeat, IdleSeats } from './idle-seats.ts';
import type { PreparedRunsParts } from './prepared-runs.ts';
import { createPatience } from './preparing-patience.ts';

export type SeatPreparation = {
  /** Does what there is to do now. */
  tend: () => Promise<void>;
  /** A prepared process has been good for a run. */
  sawUse: () => void;
  /** None is started after this. */
  stop: () => void;
};

/** Until then a process is taken to be starting, and the next one waits. */
const startingMs = 500;

export function createSeatPreparation(parts: PreparedRunsParts, idle: IdleSeats): SeatPreparation {
  const { size, idleMs, room, clock, log } = parts;
  const patience = createPatience(clock);
  let isStopped = false;

  const fail = (facts: object): void => {
    const pauseMs = patience.failed();
    if (patience.failures() > 1) return;
    log.warn({ ...facts, next_try_ms: pauseMs }, 'no run can be prepared');
  };
  const watchExit = async (each: IdleSeat): Promise<void> => {
    const { code, signal, stderrTail } = await each.seat.claude.exited;
    if (!idle.has(each)) return;
    idle.drop((one) => one === each);
    // Nobody has told it anything yet that its last words could quote.
    fail({ exit_code: code, signal, stderr_tail: stderrTail });
  };
  const isChance = (): boolean => {
    const newestAt = idle.newest()?.seat.startedAt ?? Number.NEGATIVE_INFINITY;
    return (
      !isStopped &&
      idle.count() < size &&
      clock.monotonicMs() - newestAt >= startingMs &&
      patience.isOver() &&
      parts.mayRunsStart() &&
      isQuiet(parts.queue.counts(), parts.concurrency) &&
      room.hasRoomToPrepare()
    );
  };
  const prepare = async (): Promise<void> => {
    const installation = await parts.claude.current();
    const login = parts.login === null ? '' : await parts.login.forPreparing();
    if (login === null || !isChance()) return;
    const marker = parts.newId('prepared');
    const root = join(parts.runsDir, marker);
    room.noteStart();
    const seat = parts.startSeat({ marker, root, installation, profile: plainProfile });
    const each = { seat, login };
    idle.add(each);
    void watchExit(each);
  };
  return {
    async tend() {
      const old = clock.monotonicMs() - idleMs;
      idle.drop(({ seat }) => seat.startedAt <= old);
      // Whoever waits for memory gets it by using them.
      if (room.isMemoryShort() && parts.queue.counts().waiting === 0) idle.drop(() => true);
      if (isChance()) await prepare().catch((err: unknown) => fail({ err }));
    },
    sawUse: patience.succeeded,
    stop: () => void (isStopped = true),
  };
}
