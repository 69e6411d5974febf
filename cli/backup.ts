// npm run backup [-- --to <dir>]: 0 there is a backup, 1 there is none, and why. The gateway may be running.
import { constants, setPriority } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { print, readVersion, runBackupCommand } from './backup/backup-command.ts';
import { makeBackup } from './backup/backup-making.ts';
import { readDataSettings } from './backup/data-settings.ts';

// The gateway goes first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
process.exitCode = await runBackupCommand('there is no backup', async (signal) => {
  const { values } = parseArgs({ options: { to: { type: 'string' } } });
  const settings = readDataSettings(process.env, process.cwd());
  const path = await makeBackup({
    ...settings,
    targetDir: resolve(values.to ?? join(settings.dataDir, 'backups')),
    gatehouseVersion: readVersion(),
    signal,
    say: print,
    clock: systemClock,
  });
  print(`backup: ${path}`);
});
