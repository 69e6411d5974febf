// The vault's database as whoever may use its data directory changes it, from the host. The vault may be running.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import type { Log } from '#shared/log.ts';

import type { AuditActor } from '../vault/audit/audit-log.ts';
import type { VaultConfig, VaultSecrets } from '../vault/config.ts';
import { vaultDatabaseFile } from '../vault/database/sqlite-database.ts';
import { openVaultDatabase } from '../vault/database/vault-database.ts';
import type { VaultDatabase } from '../vault/database/vault-database.ts';

export const hostActor: AuditActor = { kind: 'host', id: null, name: null };

/** Made, or brought to the newest schema, when it has to be. */
export async function withVaultDatabase<T>(
  { dataDir }: VaultConfig,
  { databaseUrl }: VaultSecrets,
  log: Log,
  work: (database: VaultDatabase) => Promise<T>,
): Promise<T> {
  const database = await openVaultDatabase({
    ...{ databaseUrl, dataDir, clock: systemClock, log },
    onCommitted: () => {},
  });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** In a wrong directory another vault would be made. */
export function requireVault({ dataDir }: VaultConfig, { databaseUrl }: VaultSecrets): void {
  const path = join(dataDir, vaultDatabaseFile);
  if (databaseUrl === null && !existsSync(path)) {
    throw new StartError(`${path} does not exist: start the vault first`);
  }
}
