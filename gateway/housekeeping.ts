// What has to be done now and then: old rows go, the disk reserve comes back, the write-ahead log stays small.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { DiskReserve } from '#shared/disk-reserve.ts';
import type { Log } from '#shared/log.ts';

import type { AuditLog } from './audit/audit-log.ts';
import type { WalWatch } from './database/wal-watch.ts';
import type { IdempotencyKeys } from './idempotency/idempotency-keys.ts';
import type { RunStore } from './runs/run-store.ts';
import type { SessionStore } from './sessions/session-store.ts';

const intervalMs = 60_000;
const walLooksApartMs = 5000;
/** An ended run can be asked for that long; its audit row stays. A session that has ended goes after the runs that name it. */
const endedRunsKeptMs = 24 * 60 * 60_000;
const batch = 200;

export type Household = {
  audit: AuditLog;
  auditRetentionMs: number | null;
  runs: RunStore;
  sessions: Pick<SessionStore, 'removeEndedBefore'>;
  keys: IdempotencyKeys;
  writer: DatabaseWriter;
  reserve: DiskReserve;
  walWatch: WalWatch;
  clock: Clock;
  log: Log;
};

export async function keepHouse(deps: Household, signal: AbortSignal): Promise<void> {
  await Promise.all([removeOldRows(deps, signal), watchWal(deps, signal)]);
}

async function watchWal({ walWatch, clock, log }: Household, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      walWatch.look();
    } catch (err) {
      log.error({ err }, 'housekeeping failed');
    }
    await clock.sleep(walLooksApartMs, signal).catch(() => {});
  }
}

async function removeOldRows(deps: Household, signal: AbortSignal): Promise<void> {
  const { audit, runs, sessions, writer, clock } = deps;
  const msAgo = (ms: number): string => isoTime(clock.now() - ms);
  /** In pieces: each keeps everybody else waiting. */
  const removeAll = async (removeSome: () => number): Promise<void> => {
    while (!signal.aborted && (await writer.write(removeSome)) > 0);
  };
  while (!signal.aborted) {
    try {
      deps.reserve.restore();
      await removeAll(() => runs.removeEndedBefore(msAgo(endedRunsKeptMs), batch));
      await removeAll(() => sessions.removeEndedBefore(msAgo(endedRunsKeptMs), batch));
      await removeAll(() => deps.keys.prune(batch));
      const { auditRetentionMs } = deps;
      if (auditRetentionMs !== null) await removeAll(() => audit.prune(msAgo(auditRetentionMs)));
    } catch (err) {
      deps.log.error({ err }, 'housekeeping failed');
    }
    await clock.sleep(intervalMs, signal).catch(() => {});
  }
}
