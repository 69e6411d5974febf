// What has to be done now and then: old rows go, and who has fallen silent is offline.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { AgentRegistry } from './agents/agent-registry.ts';
import type { AuditLog } from './audit/audit-log.ts';
import type { VaultDatabase } from './database/vault-database.ts';
import { deleteOrphanClaims } from './feeds/claim-store.ts';
import { deleteEventsBefore } from './feeds/event-store.ts';
import { deleteIdempotencyKeysBefore } from './idempotency/idempotency-store.ts';

export type Household = {
  database: VaultDatabase;
  agents: Pick<AgentRegistry, 'hasSilent' | 'endSilent'>;
  audit: AuditLog;
  /** Null: for ever. */
  retention: { eventsMs: number | null; auditMs: number | null };
  /** Sign-ins and links that are over, files that nothing names. */
  others: readonly ((signal: AbortSignal) => Promise<void>)[];
  clock: Clock;
  log: Log;
};

const intervalMs = 60_000;
/** Each pruning leaves a row in the log itself. */
const pruningsApartMs = 60 * 60_000;
const silenceLooksApartMs = 5000;
const keysKeptMs = 24 * 60 * 60_000;
const batch = 200;

export async function keepHouse(deps: Household, signal: AbortSignal): Promise<void> {
  await Promise.all([
    everyNowAndThen(deps, intervalMs, signal, () => removeOldRows(deps, signal)),
    everyNowAndThen(deps, pruningsApartMs, signal, () => pruneAudit(deps, signal)),
    everyNowAndThen(deps, silenceLooksApartMs, signal, async () => {
      const { database, agents } = deps;
      if (await agents.hasSilent(database.reads)) await database.write(agents.endSilent);
    }),
  ]);
}

async function everyNowAndThen(
  { clock, log }: Household,
  apartMs: number,
  signal: AbortSignal,
  work: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch((err: unknown) => log.error({ err }, 'housekeeping failed'));
    await clock.sleep(apartMs, signal).catch(() => {});
  }
}

async function removeOldRows(deps: Household, signal: AbortSignal): Promise<void> {
  const { clock, retention } = deps;
  const ago = (ms: number): string => isoTime(clock.now() - ms);
  const removeAll = (removeSome: Removal) => removeInPieces(deps, signal, removeSome);
  await removeAll(({ db }) => deleteIdempotencyKeysBefore(db, ago(keysKeptMs), batch));
  const { eventsMs } = retention;
  if (eventsMs !== null) {
    await removeAll(({ db }) => deleteEventsBefore(db, ago(eventsMs), batch));
    await removeAll(({ db }) => deleteOrphanClaims(db, ago(eventsMs), batch));
  }
  for (const removeOthers of deps.others) await removeOthers(signal);
}

async function pruneAudit(deps: Household, signal: AbortSignal): Promise<void> {
  const { audit, clock, retention } = deps;
  if (retention.auditMs === null) return;
  const olderThan = isoTime(clock.now() - retention.auditMs);
  await removeInPieces(deps, signal, ({ db }) => audit.prune(db, olderThan));
}

type Removal = Parameters<VaultDatabase['write']>[0];

/** Each piece keeps everybody else waiting. */
async function removeInPieces(
  { database }: Household,
  signal: AbortSignal,
  removeSome: Removal,
): Promise<void> {
  while (!signal.aborted && Number(await database.write(removeSome)) > 0);
}
