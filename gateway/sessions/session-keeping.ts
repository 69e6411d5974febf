// Everything of conversations, wired together: which there are, where they lie, whose processes are kept.
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { NewId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';

import type { AuditLog } from '../audit/audit-log.ts';
import type { AdmissionLimits } from '../runs/admission.ts';
import type { SeatOptions } from '../runs/run-seat.ts';
import type { WorkspaceGrants } from '../workspaces/workspace-grants.ts';
import { createLiveSessions } from './live-sessions.ts';
import type { LiveSessions } from './live-sessions.ts';
import { createSessionDirectories } from './session-directory.ts';
import { createSessionRegistry } from './session-registry.ts';
import type { SessionRegistry } from './session-registry.ts';
import { createSessionSeats } from './session-seating.ts';
import type { SessionSeats } from './session-seating.ts';
import type { SessionStore } from './session-store.ts';
import { createSessionSweep } from './session-sweep.ts';

export type SessionKeeping = {
  registry: SessionRegistry;
  seats: SessionSeats;
  live: Pick<LiveSessions, 'count' | 'shed'>;
  /** Sessions end by age, and directories go. */
  run: (signal: AbortSignal) => Promise<void>;
  /** After the last run: no process is left, and everything is written down. */
  close: () => Promise<void>;
};

export type SessionSettings = {
  sessionIdleMs: number;
  sessionLiveMs: number;
  sessionsLiveMax: number;
  sessionDiskBytes: number;
  sessionsPerApp: number;
};

export type SessionKeepingParts = {
  /** An existing directory for theirs. */
  dir: string;
  seats: SeatOptions;
  store: SessionStore;
  writer: DatabaseWriter;
  audit: AuditLog;
  appName: (appId: number) => string | null;
  limits: AdmissionLimits & SessionSettings;
  grants: Pick<WorkspaceGrants, 'find' | 'named'>;
  /** Ends the runs of a session that was ended. */
  stopRunsOf: (sessionSeq: number) => void;
  newId: NewId;
  clock: Clock;
  log: Log;
};

export function openSessions(parts: SessionKeepingParts): SessionKeeping {
  const { dir, store, limits, clock, log } = parts;
  const directories = createSessionDirectories(dir);
  const live = createLiveSessions({
    ...{ keepMs: limits.sessionLiveMs, max: limits.sessionsLiveMax, clock },
  });
  const removeLeft = (): void => {
    sweep
      .removeLeft()
      .catch((err: unknown) => log.error({ err }, 'a session could not be cleared away'));
  };
  const seats = createSessionSeats({
    ...{ ...parts, live, directories, diskBytes: limits.sessionDiskBytes },
    onSettled: (sessionSeq) => {
      const session = store.read(sessionSeq);
      if (session !== null && session.endedAt !== null) void live.end(sessionSeq).then(removeLeft);
    },
  });
  const registry = createSessionRegistry({
    ...parts,
    isLive: live.has,
    noted: seats.noted,
    onEnded: ({ sessionSeq }) => {
      parts.stopRunsOf(sessionSeq);
      void live.end(sessionSeq).then(removeLeft);
    },
  });
  const isInUse = (sessionId: string): boolean => {
    const sessionSeq = store.seqOf(sessionId);
    return sessionSeq !== null && (seats.isBusy(sessionSeq) || live.has(sessionSeq));
  };
  const sweep = createSessionSweep({
    ...{ ...parts, sessionIdleMs: limits.sessionIdleMs, registry, directories, isInUse },
  });
  return {
    ...{ registry, seats, live },
    run: sweep.run,
    async close() {
      await seats.settled();
      await live.close();
    },
  };
}
