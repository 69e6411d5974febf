// What has to be done now and then: old rows go, the disk reserve comes back.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { DiskReserve } from '#shared/disk-reserve.ts';
import type { Log } from '#shared/log.ts';

import type { AuditLog } from './audit/audit-log.ts';
import type { RunStore } from './runs/run-store.ts';

const intervalMs = 60_000;
/** An ended run can be asked for that long; its audit row stays. */
const endedRunsKeptMs = 24 * 60 * 60_000;

export async function keepHouse(
  deps: {
    audit: AuditLog;
    auditRetentionMs: number | null;
    runs: RunStore;
    writer: DatabaseWriter;
    reserve: DiskReserve;
    clock: Clock;
    log: Log;
  },
  signal: AbortSignal,
): Promise<void> {
  const { audit, runs, writer, clock } = deps;
  const daysAgo = (ms: number): string => isoTime(clock.now() - ms);
  const pruneAudit = async (retentionMs: number): Promise<void> => {
    while (!signal.aborted) {
      const removed = await writer.write(() => audit.prune(daysAgo(retentionMs)));
      if (removed === 0) return;
    }
  };
  while (!signal.aborted) {
    try {
      deps.reserve.restore();
      await writer.write(() => runs.removeEndedBefore(daysAgo(endedRunsKeptMs)));
      if (deps.auditRetentionMs !== null) await pruneAudit(deps.auditRetentionMs);
    } catch (err) {
      deps.log.error({ err }, 'housekeeping failed');
    }
    await clock.sleep(intervalMs, signal).catch(() => {});
  }
}
