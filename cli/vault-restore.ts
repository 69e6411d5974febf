// npm run vault:restore -- <backup>: 0 the data directory is that of the backup, 1 it is as it was, and why. The vault must be stopped.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { requireOne, runBackupCommand } from './backup/backup-command.ts';
import { summaryOf } from './vault-backup/vault-facts.ts';
import type { VaultManifest } from './vault-backup/vault-manifest.ts';
import { restoreVaultBackup } from './vault-backup/vault-restoring.ts';
import { readVaultSettings } from './vault-backup/vault-settings.ts';

process.exitCode = await runBackupCommand('nothing is restored', async (signal) => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const settings = readVaultSettings(process.env, process.cwd());
  const manifest = await restoreVaultBackup({
    ...settings,
    backupDir: resolve(requireOne(positionals, 'vault:restore')),
    uid: process.getuid?.() ?? 0,
    signal,
  });
  process.stdout.write(report(settings.dataDir, manifest));
});

function report(dataDir: string, { contents, ...manifest }: VaultManifest): string {
  const { made_at: madeAt, gatehouse_version: version, files } = manifest;
  const attachments = files.filter(({ path }) => path.startsWith('attachments/')).length;
  const hasKey = files.some(({ path }) => path.startsWith('vault-keys/'));
  return [
    `restored: ${dataDir}, as it was at ${madeAt} (Gatehouse ${version})`,
    ...(contents === null
      ? [
          'database: PostgreSQL, and NOT in this backup. Restore what pg_dump saved, before the vault starts:',
          '  pg_restore --clean --if-exists --no-owner --dbname="$DATABASE_URL" vault.dump',
        ]
      : [`database: ${summaryOf(contents)}; audit log whole`]),
    `attachments: ${attachments}`,
    `signing key: ${hasKey ? 'that of the backup' : 'not in the backup: a new one is made, and everybody signs in anew'}`,
    'users and keys are as they were then: disable and revoke again what was since',
    'not in any backup: the settings (.env)',
    'next: npm run vault',
    '',
  ].join('\n');
}
