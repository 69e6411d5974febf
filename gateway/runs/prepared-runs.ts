// Claude processes started before there is a request for them: kept few, each used once, replaced when that disturbs nobody.
// Such a process knows nothing of anybody: what is fixed at its start is the same for every run of its profile.
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '#shared/clock.ts';
import type { NewId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';

import { plainProfile } from '../claude/claude-arguments.ts';
import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeInstallation, ClaudeLookup } from '../claude/claude-installation.ts';
import type { LoginDirectory } from '../claude/login-directory.ts';
import { isQuiet } from '../queue/quiet-moment.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { StartRoom } from '../queue/start-room.ts';
import { createPatience } from './preparing-patience.ts';
import type { RunSeat, SeatRequest } from './run-seat.ts';

/** What a run needs of a process that was started without it. */
export type WantedSeat = {
  profile: SpawnProfile;
  installation: ClaudeInstallation;
  /** The name of the login that runs see now; empty without one. */
  login: string;
};

export const missReasons = ['off', 'empty', 'other_profile'] as const;
export type TakeResult = 'hit' | (typeof missReasons)[number];

export type PreparedRuns = {
  /** The oldest that fits; null when the run has to start a process of its own. */
  take: (wanted: WantedSeat) => Promise<RunSeat | null>;
  idleCount: () => number;
  /** A run is over: there may be time to prepare the next. */
  wake: () => void;
  /** Prepares, replaces and lets go until it is told to end. */
  run: (signal: AbortSignal) => Promise<void>;
  /** Nothing is prepared after this; resolves when nothing prepared is left. */
  close: () => Promise<void>;
};

export type PreparedRunsParts = {
  /** How many wait at the most; 0 prepares nothing. */
  size: number;
  /** How long one may wait for its run. */
  idleMs: number;
  concurrency: number;
  runsDir: string;
  claude: Pick<ClaudeLookup, 'current'>;
  login: Pick<LoginDirectory, 'forPreparing'> | null;
  startSeat: (request: SeatRequest) => RunSeat;
  clearSeat: (seat: RunSeat) => Promise<void>;
  queue: Pick<RunQueue, 'counts'>;
  room: Pick<StartRoom, 'hasRoomToPrepare' | 'isMemoryShort' | 'noteStart' | 'noteReady'>;
  onTake: (result: TakeResult) => void;
  newId: NewId;
  clock: Clock;
  log: Log;
};

/** For whoever does a run without a pool. */
export const nothingPrepared: Pick<PreparedRuns, 'take'> = { take: () => Promise.resolve(null) };

type IdleSeat = { seat: RunSeat; login: string };

const lookAgainMs = 1000;
const lookForChanceMs = 250;
/** Until then a process is taken to be starting, and the next one waits. */
const startingMs = 500;

export function createPreparedRuns(parts: PreparedRunsParts): PreparedRuns {
  const { size, idleMs, claude, room, clock, log } = parts;
  /** Oldest first. */
  let idle: IdleSeat[] = [];
  const leaving = new Set<Promise<void>>();
  const patience = createPatience(clock);
  let isClosed = false;
  let endNap = (): void => {};

  const clear = ({ seat }: IdleSeat): void => {
    const cleared = parts
      .clearSeat(seat)
      .catch((err: unknown) => log.error({ err }, 'a prepared run could not be cleared up'))
      .finally(() => leaving.delete(cleared));
    leaving.add(cleared);
  };
  const drop = (isUnwanted: (each: IdleSeat) => boolean): void => {
    const unwanted = idle.filter(isUnwanted);
    idle = idle.filter((each) => !unwanted.includes(each));
    unwanted.forEach(clear);
  };
  const allGone = async (): Promise<void> => void (await Promise.all(leaving));
  const fail = (facts: object): void => {
    const pauseMs = patience.failed();
    if (patience.failures() > 1) return;
    log.warn({ ...facts, next_try_ms: pauseMs }, 'no run can be prepared');
  };
  const watchExit = async (each: IdleSeat): Promise<void> => {
    const { code, signal, stderrTail } = await each.seat.claude.exited;
    if (!idle.includes(each)) return;
    drop((one) => one === each);
    // Nobody has told it anything yet that its last words could quote.
    fail({ exit_code: code, signal, stderr_tail: stderrTail });
  };
  const prepare = async (): Promise<void> => {
    const installation = await claude.current();
    const login = parts.login === null ? '' : await parts.login.forPreparing();
    if (login === null || !isChance()) return;
    const marker = parts.newId('prepared');
    const root = join(parts.runsDir, marker);
    room.noteStart();
    const seat = parts.startSeat({ marker, root, installation, profile: plainProfile });
    const each = { seat, login };
    idle.push(each);
    void watchExit(each);
  };
  const isChance = (): boolean => {
    const newest = idle.at(-1)?.seat.startedAt ?? Number.NEGATIVE_INFINITY;
    return (
      !isClosed &&
      idle.length < size &&
      clock.monotonicMs() - newest >= startingMs &&
      patience.isOver() &&
      isQuiet(parts.queue.counts(), parts.concurrency) &&
      room.hasRoomToPrepare()
    );
  };
  const tend = async (): Promise<void> => {
    const now = clock.monotonicMs();
    drop(({ seat }) => {
      const isOld = now - seat.startedAt >= idleMs;
      if (isOld) patience.succeeded();
      return isOld;
    });
    // Whoever waits for memory gets it by using them.
    if (room.isMemoryShort() && parts.queue.counts().waiting === 0) drop(() => true);
    if (isChance()) await prepare().catch((err: unknown) => fail({ err }));
  };
  const nap = async (signal: AbortSignal): Promise<void> => {
    const woken = new AbortController();
    endNap = () => woken.abort();
    const ms = idle.length < size ? lookForChanceMs : lookAgainMs;
    await clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => {});
  };

  return {
    async take({ profile, installation, login }) {
      if (size === 0) {
        parts.onTake('off');
        return null;
      }
      // The installation is the same object for as long as its file is the same.
      drop((each) => each.seat.installation !== installation || each.login !== login);
      const found = idle.find((each) => isDeepStrictEqual(each.seat.profile, profile));
      if (found !== undefined) {
        idle = idle.filter((each) => each !== found);
        patience.succeeded();
        room.noteReady();
        parts.onTake('hit');
        return found.seat;
      }
      parts.onTake(isDeepStrictEqual(profile, plainProfile) ? 'empty' : 'other_profile');
      if (idle.length > 0 && room.isMemoryShort()) {
        drop(() => true);
        await allGone();
      }
      return null;
    },
    idleCount: () => idle.length,
    wake: () => endNap(),
    async run(signal) {
      while (!signal.aborted && size > 0) {
        await tend();
        await nap(signal);
      }
    },
    async close() {
      isClosed = true;
      drop(() => true);
      await allGone();
    },
  };
}
