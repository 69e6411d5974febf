// npm run restore -- <backup>: 0 the data directory is that of the backup, 1 it is as it was, and why. The gateway must be stopped.
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { BackupError } from './backup/backup-error.ts';
import { summaryOf } from './backup/backup-making.ts';
import { readDataSettings } from './backup/data-settings.ts';
import { restoreBackup } from './backup/restoring.ts';
import type { Restored } from './backup/restoring.ts';

process.exitCode = await restore();

async function restore(): Promise<0 | 1> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new BackupError(`stopped by ${name}`)));
  }
  try {
    const { positionals } = parseArgs({ allowPositionals: true });
    const [backupDir] = positionals;
    if (backupDir === undefined || positionals.length > 1) {
      throw new BackupError('name one backup: npm run restore -- <directory of the backup>');
    }
    const settings = readDataSettings(process.env, process.cwd());
    const restored = await restoreBackup({
      ...settings,
      backupDir: resolve(backupDir),
      uid: process.getuid?.() ?? 0,
      signal: stop.signal,
      clock: systemClock,
    });
    process.stdout.write(report(settings.dataDir, restored));
    return 0;
  } catch (err) {
    const reason = err instanceof Error ? err.message : String(err);
    process.stderr.write(`nothing is restored: ${reason}\n`);
    return 1;
  }
}

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
