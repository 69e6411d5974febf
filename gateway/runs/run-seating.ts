// Where a run gets its process from, and what becomes of the process afterwards.
import { join } from 'node:path';

import type { Log } from '#shared/log.ts';

import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { ClaudeInstallation } from '../claude/claude-installation.ts';
import { removeRunDirectory } from '../sandbox/run-directory.ts';
import type { ExecutionReport } from './run-execution.ts';
import { startSeat } from './run-seat.ts';
import type { RunSeat, SeatOptions } from './run-seat.ts';

export type Seating = {
  /** A process that has answered well stays for the next run. */
  keepsProcess: boolean;
  take: (installation: ClaudeInstallation) => Promise<RunSeat>;
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
  request: { runId: string; runsDir: string; profile: SpawnProfile; log: Log },
): Seating {
  const { runId, runsDir, profile, log } = request;
  const root = join(runsDir, runId);
  /** What cannot be cleared up is no reason to lose the answer: the next start clears it away. */
  const clear = (): Promise<void> =>
    removeRunDirectory(root).catch((err: unknown) =>
      log.error({ err, run_id: runId }, 'run could not be cleared up'),
    );
  return {
    keepsProcess: false,
    async take(installation) {
      try {
        return startSeat(seats, { marker: runId, root, installation, profile });
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
