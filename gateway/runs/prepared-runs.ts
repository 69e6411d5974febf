// Claude processes started before there is a request for them: kept few, each used once, replaced when that disturbs nobody.
// Such a process knows nothing of anybody: what is fixed at its start is the same for every run of its profile.
import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '#shared/clock.ts';
import type { NewId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';

import { plainProfile } from '../claude/claude-arguments.ts';
import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeInstallation, ClaudeLookup } from '../claude/claude-installation.ts';
import type { LoginDirectory } from '../claude/login-directory.ts';
import type { RunQueue } from '../queue/run-queue.ts';
import type { StartRoom } from '../queue/start-room.ts';
import { createIdleSeats } from './idle-seats.ts';
import { createNap } from './nap.ts';
import type { RunSeat, SeatRequest } from './run-seat.ts';
import { createSeatPreparation } from './seat-preparation.ts';

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

/** Every one gets the login of the usual user of runs, and no workspace. */
export type PreparedSeatRequest = Omit<SeatRequest, 'loginDir' | 'workspace'>;

export type PreparedRunsParts = {
  /** How many wait at the most; 0 prepares nothing. */
  size: number;
  /** How long one may wait for its run. */
  idleMs: number;
  concurrency: number;
  runsDir: string;
  claude: Pick<ClaudeLookup, 'current'>;
  login: Pick<LoginDirectory, 'forPreparing'> | null;
  startSeat: (request: PreparedSeatRequest) => RunSeat;
  clearSeat: (seat: RunSeat) => Promise<void>;
  queue: Pick<RunQueue, 'counts'>;
  /** False while no run would be started: the subscription is used up, the API overloaded, or the credential not accepted. */
  mayRunsStart: () => boolean;
  room: Pick<StartRoom, 'hasRoomToPrepare' | 'isMemoryShort' | 'noteStart' | 'noteReady'>;
  onTake: (result: TakeResult) => void;
  newId: NewId;
  clock: Clock;
  log: Log;
};

/** For whoever does a run without a pool. */
export const nothingPrepared: Pick<PreparedRuns, 'take'> = { take: () => Promise.resolve(null) };

const lookAgainMs = 1000;
const lookForChanceMs = 250;

export function createPreparedRuns(parts: PreparedRunsParts): PreparedRuns {
  const { size, room, clock } = parts;
  const idle = createIdleSeats(parts.clearSeat, parts.log);
  const preparation = createSeatPreparation(parts, idle);
  const nap = createNap(clock);

  return {
    async take({ profile, installation, login }) {
      if (size === 0) {
        parts.onTake('off');
        return null;
      }
      // The installation is the same object for as long as its file is the same.
      idle.drop((each) => each.seat.installation !== installation || each.login !== login);
      const seat = idle.takeFirst((each) => isDeepStrictEqual(each.seat.profile, profile));
      if (seat !== null) {
        preparation.sawUse();
        room.noteReady();
        parts.onTake('hit');
        return seat;
      }
      parts.onTake(isDeepStrictEqual(profile, plainProfile) ? 'empty' : 'other_profile');
      if (idle.count() > 0 && room.isMemoryShort()) {
        idle.drop(() => true);
        await idle.allGone();
      }
      return null;
    },
    idleCount: idle.count,
    wake: nap.wake,
    async run(signal) {
      if (size === 0) return;
      while (!signal.aborted) {
        await preparation.tend();
        await nap.sleep(idle.count() < size ? lookForChanceMs : lookAgainMs, signal);
      }
    },
    async close() {
      preparation.stop();
      idle.drop(() => true);
      await idle.allGone();
    },
  };
}
