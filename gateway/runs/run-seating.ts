// Where a run gets its process from, and what becomes of the process afterwards.
import { join } from 'node:path';

import type { Log } from '#shared/log.ts';

import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeInstallation } from '../claude/claude-installation.ts';
import { removeRunDirectory } from '../sandbox/run-directory.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { ExecutionReport } from './run-execution.ts';
import { startSeat } from './run-seat.ts';
import type { RunSeat, SeatOptions } from './run-seat.ts';

/** With what a process is started, if one is. */
export type SeatStart = { installation: ClaudeInstallation; loginDir: string | null };

export type Seating = {
  /** A process that has answered well stays for the next run. */
  keepsProcess: boolean;
  take: (start: SeatStart) => Promise<RunSeat>;
  /** After the execution, whose process has exited unless it was kept; null when it broke off, its process gone as well. Never rejects. */
  leave: (seat: RunSeat, report: ExecutionReport | null) => Promise<void>;
  /** What the run was to go on with is lost: it may be done once more without it. False when there is nothing to lose. */
  startOver: (report: ExecutionReport) => Promise<boolean>;
  /** What the answer says of it. */
  session: () => { sessionId: string; isReset: boolean } | null;
};

/** A process of its own, which leaves nothing behind. */
export function createSingleSeating(
  seats: SeatOptions,
  request: {
    runId: string;
    runsDir: string;
    profile: SpawnProfile;
    workspace: Workspace | null;
    log: Log;
  },
): Seating {
  const { runId, runsDir, profile, workspace, log } = request;
  const root = join(runsDir, runId);
  /** What cannot be cleared up is no reason to lose the answer: the next start clears it away. */
  const clear = (): Promise<void> =>
    removeRunDirectory(root).catch((err: unknown) =>
      log.error({ err, run_id: runId }, 'run could not be cleared up'),
    );
  return {
    keepsProcess: false,
    async take(start) {
      try {
        return startSeat(seats, { marker: runId, root, profile, workspace, ...start });
      } catch (err) {
        await clear();
        throw err;
      }
    },
    leave: clear,
    startOver: () => Promise.resolve(false),
    session: () => null,
  };
}
