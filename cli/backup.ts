// npm run backup [-- --to <dir>]: 0 there is a backup, 1 there is none, and why. The gateway may be running.
import { readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '#shared/clock.ts';

import { BackupError } from './backup/backup-error.ts';
import { makeBackup } from './backup/backup-making.ts';
import { readDataSettings } from './backup/data-settings.ts';

// The gateway goes first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
process.exitCode = await backup();

async function backup(): Promise<0 | 1> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new BackupError(`stopped by ${name}`)));
  }
  try {
    const { values } = parseArgs({ options: { to: { type: 'string' } } });
    const settings = readDataSettings(process.env, process.cwd());
    const path = await makeBackup({
      ...settings,
      targetDir: resolve(values.to ?? join(settings.dataDir, 'backups')),
      gatehouseVersion: readVersion(),
      signal: stop.signal,
      say: print,
      clock: systemClock,
    });
    print(`backup: ${path}`);
    return 0;
  } catch (err) {
    const reason = err instanceof Error ? err.message : String(err);
    process.stderr.write(`there is no backup: ${reason}\n`);
    return 1;
  }
}

function readVersion(): string {
  const path = join(dirname(import.meta.dirname), 'package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
