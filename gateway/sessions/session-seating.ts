// The process of a run in a conversation: the one that was kept, else a new one that reads what was said before.
import { randomUUID } from 'node:crypto';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Log } from '#shared/log.ts';

import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { Effort } from '../claude/claude-binding.ts';
import type { ClaudeInstallation } from '../claude/claude-installation.ts';
import { startSeat } from '../runs/run-seat.ts';
import type { RunSeat, SeatOptions } from '../runs/run-seat.ts';
import type { Seating, SeatStart } from '../runs/run-seating.ts';
import { runUserOf } from '../sandbox/workspace-mount.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { LiveSessions } from './live-sessions.ts';
import { isConversationLost } from './lost-conversation.ts';
import type { SessionDirectories } from './session-directory.ts';
import { SessionEndedError, SessionFullError } from './session-errors.ts';
import type { SessionStore, StoredSession } from './session-store.ts';
import {
  hasTranscript,
  holdsTranscript,
  markTranscript,
  transcriptPath,
} from './transcript-file.ts';

export type SessionSeats = {
  /** For the next run of a session; one at a time. */
  seatingOf: (sessionSeq: number, ask: TurnAsk) => Seating;
  /** A run of it is under way, or what it left is still being written down. */
  isBusy: (sessionSeq: number) => boolean;
  /** Resolves when its last turn is written down. */
  noted: (sessionSeq: number) => Promise<void>;
  /** The same for all of them. */
  settled: () => Promise<void>;
};

/** What is fixed when a process starts, or cannot be taken back afterwards. */
export type TurnAsk = {
  runId: string;
  profile: SpawnProfile;
  effort: Effort | null;
  workspace: Workspace | null;
};

export type SessionSeatParts = {
  seats: SeatOptions;
  store: SessionStore;
  writer: DatabaseWriter;
  live: LiveSessions;
  directories: SessionDirectories;
  /** What a session may have on disk. */
  diskBytes: number;
  /** A run of it is over and written down. */
  onSettled: (sessionSeq: number) => void;
  clock: Clock;
  log: Log;
};

export function createSessionSeats(parts: SessionSeatParts): SessionSeats {
  const busy = new Set<number>();
  const notes = new Map<number, Promise<void>>();
  const asked = new WeakMap<RunSeat, TurnAsk>();

  return {
    seatingOf(sessionSeq, ask) {
      let session: StoredSession | null = null;
      let isReset = false;
      const takeSeat = async (start: SeatStart): Promise<RunSeat> => {
        await notes.get(sessionSeq);
        session = read(parts, sessionSeq);
        isReset ||= session.isResetUntold;
        const fits = (seat: RunSeat): boolean =>
          isSame(seat.installation, start.installation) && isSameAsk(asked.get(seat), ask);
        const kept = await parts.live.take(sessionSeq, fits);
        return kept ?? startAgain(parts, session, ask, start, () => (isReset = true));
      };
      return {
        keepsProcess: true,
        async take(start) {
          busy.add(sessionSeq);
          try {
            const seat = await takeSeat(start);
            asked.set(seat, ask);
            return seat;
          } catch (err) {
            busy.delete(sessionSeq);
            parts.onSettled(sessionSeq);
            throw err;
          }
        },
        async startOver(report) {
          if (session === null || isReset || !isConversationLost(report)) return false;
          parts.log.warn({ session_id: session.sessionId, run_id: ask.runId }, lostMessage);
          await startOver(parts, session, ask);
          isReset = true;
          return true;
        },
        async leave(seat, report) {
          const isKept = report !== null && report.exit === null;
          const isAnswered = report?.verdict.outcome === 'completed';
          // Not before the answer: the next turn waits for it, nobody else does.
          const note = noteTurn(parts, sessionSeq, isAnswered)
            .catch((err: unknown) => parts.log.error({ err }, 'a turn could not be written down'))
            .finally(() => {
              if (notes.get(sessionSeq) === note) notes.delete(sessionSeq);
              parts.onSettled(sessionSeq);
            });
          notes.set(sessionSeq, note);
          if (isKept) parts.live.keep(sessionSeq, seat);
          busy.delete(sessionSeq);
        },
        session: () => (session === null ? null : { sessionId: session.sessionId, isReset }),
      };
    },
    isBusy: (sessionSeq) => busy.has(sessionSeq) || notes.has(sessionSeq),
    async noted(sessionSeq) {
      await notes.get(sessionSeq);
    },
    async settled() {
      await Promise.all(notes.values());
    },
  };
}

const lostMessage = 'a conversation was lost: it begins anew';

function read({ store }: SessionSeatParts, sessionSeq: number): StoredSession {
  const session = store.read(sessionSeq);
  if (session === null || session.endedAt !== null) throw new SessionEndedError();
  return session;
}

function isSame(one: ClaudeInstallation, other: ClaudeInstallation): boolean {
  return one.version === other.version && one.program.path === other.program.path;
}

function isSameAsk(one: TurnAsk | undefined, other: TurnAsk): boolean {
  return (
    one !== undefined &&
    one.effort === other.effort &&
    one.profile.maxTurns === other.profile.maxTurns &&
    one.profile.maxBudgetUsd === other.profile.maxBudgetUsd
  );
}

/** A new process, with what was said before where that is there. */
async function startAgain(
  parts: SessionSeatParts,
  session: StoredSession,
  ask: TurnAsk,
  start: SeatStart,
  onReset: () => void,
): Promise<RunSeat> {
  const { seats, directories, diskBytes, log } = parts;
  const { runId, profile, workspace } = ask;
  const { sessionId, transcriptBytes: bytes, transcriptSha256: sha256 } = session;
  if ((await directories.bytes(sessionId, diskBytes)) >= diskBytes) {
    throw new SessionFullError(diskBytes);
  }
  const directory = directories.of(sessionId);
  const { tier } = seats.sandbox;
  let { conversationId } = session;
  let path = transcriptPath(directory, tier, conversationId);
  if (!(await holdsTranscript(path, { bytes, sha256 }))) {
    log.warn({ session_id: sessionId, run_id: runId }, lostMessage);
    conversationId = await startOver(parts, session, ask);
    path = transcriptPath(directory, tier, conversationId);
    onReset();
  }
  const conversation = { id: conversationId, isBegun: await hasTranscript(path) };
  return startSeat(seats, {
    marker: sessionId,
    root: directory.root,
    ...{ installation: start.installation, loginDir: start.loginDir, workspace },
    profile: { ...profile, conversation },
  });
}

async function startOver(
  { store, writer, directories, seats }: SessionSeatParts,
  { sessionSeq, sessionId }: StoredSession,
  { workspace }: TurnAsk,
): Promise<string> {
  const conversationId = randomUUID();
  await directories.forget(sessionId, runUserOf(seats.sandbox, workspace));
  await writer.write(() => store.startOver(sessionSeq, conversationId));
  return conversationId;
}

/** How the transcript is after a turn, for the start of a later process. */
async function noteTurn(
  { store, writer, directories, seats, clock }: SessionSeatParts,
  sessionSeq: number,
  isAnswered: boolean,
): Promise<void> {
  const session = store.read(sessionSeq);
  if (session === null) return;
  const at = isoTime(clock.now());
  if (!isAnswered) {
    await writer.write(() => store.touch(sessionSeq, at));
    return;
  }
  const directory = directories.of(session.sessionId);
  const path = transcriptPath(directory, seats.sandbox.tier, session.conversationId);
  const mark = (await markTranscript(path)) ?? { bytes: 0, sha256: null };
  await writer.write(() =>
    store.recordTurn({
      ...{ sessionSeq, at, transcriptBytes: mark.bytes, transcriptSha256: mark.sha256 },
    }),
  );
}
