// How the vault is, without telling anybody anything about it.
import type { Clock } from '#shared/clock.ts';

import type { VaultDatabase } from './database/vault-database.ts';

export type HealthPart = { name: string; ok: boolean; detail: string | null };

export type Health = { readiness: () => Promise<{ ok: boolean; parts: HealthPart[] }> };

const patienceMs = 2000;

export function createHealth(parts: {
  database: Pick<VaultDatabase, 'check'>;
  isDraining: () => boolean;
  clock: Clock;
}): Health {
  const { database, clock } = parts;
  const databasePart = async (): Promise<HealthPart> => {
    const over = new AbortController();
    const late = clock.sleep(patienceMs, over.signal).then(
      () => 'it does not answer',
      () => null,
    );
    const asked = database.check().then(
      () => null,
      () => 'it cannot be read',
    );
    const detail = await Promise.race([asked, late]);
    over.abort();
    return { name: 'database', ok: detail === null, detail };
  };
  return {
    async readiness() {
      const isDraining = parts.isDraining();
      const service = {
        name: 'service',
        ok: !isDraining,
        detail: isDraining ? 'it is stopping' : null,
      };
      const all = [service, await databasePart()];
      return { ok: all.every(({ ok }) => ok), parts: all };
    },
  };
}
