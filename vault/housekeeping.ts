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
const silenceLooksApartMs = 5000;
const keysKeptMs = 24 * 60 * 60_000;
const batch = 200;

export async function keepHouse(deps: Household, signal: AbortSignal): Promise<void> {
  await Promise.all([
    everyNowAndThen(deps, intervalMs, signal, () => removeOldRows(deps, signal)),
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
  const { database, audit, retention, clock } = deps;
  const ago = (ms: number): string => isoTime(clock.now() - ms);
  /** In pieces: each keeps everybody else waiting. */
  const removeAll = async (removeSome: Parameters<VaultDatabase['write']>[0]): Promise<void> => {
    while (!signal.aborted && Number(await database.write(removeSome)) > 0);
  };
  await removeAll(({ db }) => deleteIdempotencyKeysBefore(db, ago(keysKeptMs), batch));
  const { eventsMs, auditMs } = retention;
  if (eventsMs !== null) {
    await removeAll(({ db }) => deleteEventsBefore(db, ago(eventsMs), batch));
    await removeAll(({ db }) => deleteOrphanClaims(db, ago(eventsMs), batch));
  }
  if (auditMs !== null) await removeAll(({ db }) => audit.prune(db, ago(auditMs)));
  for (const removeOthers of deps.others) await removeOthers(signal);
}
