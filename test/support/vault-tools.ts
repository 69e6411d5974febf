// npm run vault:backup, vault:restore and vault:audit:verify, as an operator runs them.
import { runTool } from './backup-run.ts';
import type { ToolEnd } from './backup-run.ts';
import type { TestDatabase } from './vault-databases.ts';

export type VaultPlace = { dataDir: string; database: Pick<TestDatabase, 'url'> };

function envOf({ dataDir, database }: VaultPlace): Record<string, string> {
  const reserve = { DISK_RESERVE_MB: '0' };
  return {
    ...reserve,
    VAULT_DATA_DIR: dataDir,
    ...(database.url === null ? {} : { DATABASE_URL: database.url }),
  };
}

/** Gives the directory of the backup as well. */
export async function backUpVault(
  place: VaultPlace,
  ...args: string[]
): Promise<ToolEnd & { path: string }> {
  const end = await runTool('cli/vault-backup.ts', envOf(place), ...args);
  return { ...end, path: /^backup: (.+)$/m.exec(end.text)?.[1] ?? '' };
}

export function restoreVault(place: VaultPlace, backupDir: string): Promise<ToolEnd> {
  return runTool('cli/vault-restore.ts', envOf(place), backupDir);
}

export function verifyVaultAudit(place: VaultPlace, ...args: string[]): Promise<ToolEnd> {
  return runTool('cli/vault-audit-verify.ts', envOf(place), ...args);
}
