// npm run vault:watcher-key: prints a key for the watcher of another machine, and makes an agent where there is none. The key before it works
// for another hour. 0 there is one, 1 there is none, and why. The vault may be running.
import { createLog } from '#shared/log.ts';

import { readConfig } from '../vault/config.ts';
import { requireVault } from './host-vault.ts';
import { prepareVault } from './start/first-things.ts';

const overlapSecs = 3600;

try {
  const { config, secrets } = readConfig(process.env, process.cwd());
  requireVault(config, secrets);
  const log = createLog({ level: 'warn', service: 'vault', destination: process.stderr });
  process.stdout.write(`${await prepareVault(config, secrets, log, overlapSecs)}\n`);
} catch (err) {
  const reason = err instanceof Error ? err.message : String(err);
  process.stderr.write(`there is no key: ${reason}\n`);
  process.exitCode = 1;
}
