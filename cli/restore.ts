// npm run restore -- <backup>: 0 the data directory is that of the backup, 1 it is as it was, and why. The gateway must be stopped.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { requireOne, runBackupCommand } from './backup/backup-command.ts';
import { summaryOf } from './backup/backup-making.ts';
import { readDataSettings } from './backup/data-settings.ts';
import { restoreBackup } from './backup/restoring.ts';
import type { Restored } from './backup/restoring.ts';

process.exitCode = await runBackupCommand('nothing is restored', async (signal) => {
  const { positionals } = parseArgs({ allowPositionals: true });
  const settings = readDataSettings(process.env, process.cwd());
  const restored = await restoreBackup({
    ...settings,
    backupDir: resolve(requireOne(positionals, 'restore')),
    uid: process.getuid?.() ?? 0,
    signal,
    clock: systemClock,
  });
  process.stdout.write(report(settings.dataDir, restored));
});

function report(dataDir: string, { manifest, interruptedRuns }: Restored): string {
  const { made_at: madeAt, gatehouse_version: version, files } = manifest;
  const uploads = files.filter(({ path }) => path.startsWith('files/')).length;
  const hasToken = files.some(({ path }) => path === 'admin-token');
  return [
    `restored: ${dataDir}, as it was at ${madeAt} (Gatehouse ${version})`,
    `database: ${summaryOf({ ...manifest, auditRows: manifest.audit_rows })}; audit log whole`,
    `uploads: ${uploads}`,
    `admin token: ${hasToken ? 'that of the backup' : 'not in the backup: set ADMIN_BOOTSTRAP_TOKEN, or a new one is made'}`,
    `runs that were open then: ${interruptedRuns}, ended as interrupted and not done again`,
    'not in any backup: the settings (.env) and the login of claude',
    'next: npm start',
    '',
  ].join('\n');
}
