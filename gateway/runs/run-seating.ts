// Where a run gets its process from, and what becomes of the process afterwards.
import { join } from 'node:path';

import type { Log } from '#shared/log.ts';

import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeInstallation } from '../claude/claude-installation.ts';
import { removeRunDirectory } from '../sandbox/run-directory.ts';
import type { Workspace } from '../workspaces/workspace.ts';
import type { PreparedRuns } from './prepared-runs.ts';
import type { ExecutionReport } from './run-execution.ts';
import { startSeat } from './run-seat.ts';
import type { RunSeat, SeatOptions } from './run-seat.ts';

/** With what a process is started, if one is. */
export type SeatStart = {
  installation: ClaudeInstallation;
  loginDir: string | null;
  /** The name of the login that runs see now; empty without one. */
  login: string;
};

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

/** A process for this run alone, started ahead or now, which leaves nothing behind. */
export function createSingleSeating(
  seats: SeatOptions,
  request: {
    runId: string;
    runsDir: string;
    prepared: Pick<PreparedRuns, 'take'>;
    profile: SpawnProfile;
    workspace: Workspace | null;
    log: Log;
  },
): Seating {
  const { runId, runsDir, prepared, profile, workspace, log } = request;
  const ownRoot = join(runsDir, runId);
  /** What cannot be cleared up is no reason to lose the answer: the next start clears it away. */
  const clear = (root: string): Promise<void> =>
    removeRunDirectory(root).catch((err: unknown) =>
      log.error({ err, run_id: runId }, 'run could not be cleared up'),
    );
  return {
    keepsProcess: false,
    async take({ installation, loginDir, login }) {
      const ready =
        workspace === null ? await prepared.take({ profile, installation, login }) : null;
      if (ready !== null) return ready;
      try {
        const own = { marker: runId, root: ownRoot, profile, workspace, installation, loginDir };
        return startSeat(seats, own);
      } catch (err) {
        await clear(ownRoot);
        throw err;
      }
    },
    leave: ({ directory }) => clear(directory.root),
    startOver: () => Promise.resolve(false),
    session: () => null,
  };
}
