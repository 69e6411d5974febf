// npm run vault:watcher-key: prints a key for the watcher of another machine, and makes an agent where there is none. The key before it works
// for another hour. 0 there is one, 1 there is none, and why. The vault may be running.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';
import { createLog } from '#shared/log.ts';

import { readConfig } from '../vault/config.ts';
import { vaultDatabaseFile } from '../vault/database/sqlite-database.ts';
import { prepareVault } from './start/first-things.ts';

const overlapSecs = 3600;

try {
  const { config, secrets } = readConfig(process.env, process.cwd());
  const path = join(config.dataDir, vaultDatabaseFile);
  // In a wrong directory it would make another vault.
  if (secrets.databaseUrl === null && !existsSync(path)) {
    throw new StartError(`${path} does not exist: start the vault first`);
  }
  const log = createLog({ level: 'warn', service: 'vault', destination: process.stderr });
  const { vaultKey } = await prepareVault(config, secrets, log, overlapSecs);
  process.stdout.write(`${vaultKey}\n`);
} catch (err) {
  const reason = err instanceof Error ? err.message : String(err);
  process.stderr.write(`there is no key: ${reason}\n`);
  process.exitCode = 1;
}
