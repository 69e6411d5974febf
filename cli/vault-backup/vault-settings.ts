// The settings that a backup of the vault needs, and no others: a mistake in another one must not cost the operator a backup.
import { resolve } from 'node:path';

import type { Environment } from '#shared/config/variable.ts';

import { variables } from '../../vault/config-variables.ts';
import { BackupError } from '../backup/backup-error.ts';
import { readDataSettings } from '../backup/data-settings.ts';

export type VaultSettings = {
  dataDir: string;
  /** Null: SQLite. */
  databaseUrl: string | null;
  diskReserveBytes: number;
};

export function readVaultSettings(env: Environment, cwd: string): VaultSettings {
  const { dataDir, databaseUrl } = variables;
  const url = env[databaseUrl.name] || null;
  if (url !== null && databaseUrl.kind.parse(url) === undefined) {
    throw new BackupError(`${databaseUrl.name} must be ${databaseUrl.kind.expected}`);
  }
  return {
    dataDir: resolve(cwd, env[dataDir.name] || dataDir.fallback),
    databaseUrl: url,
    diskReserveBytes: readDataSettings(env, cwd).diskReserveBytes,
  };
}
