// The process: environment, signals, standard streams. Everything else is in app.ts.
import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import { listen } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';
import { runService } from '#shared/service.ts';

import { openVault } from './app.ts';
import { readConfig } from './config.ts';

/** What closing takes beyond the grace of open requests. */
const closingMs = 5000;

async function main(): Promise<void> {
  const { config, secrets, warnings } = readConfig(process.env, process.cwd());
  const log = createLog({ level: config.logLevel, service: 'vault' });
  for (const warning of warnings) log.warn(warning);
  await runService({
    log,
    graceMs: config.shutdownGraceMs + closingMs,
    open: async (opened) => {
      const vault = await openVault(config, secrets, { clock: systemClock, log }, opened);
      const url = await listen(vault.app, config.listen, 'VAULT_PORT');
      const setupLink = await vault.offerSetup(config.publicUrl ?? url);
      process.stderr.write(`The vault listens on ${url}\n`);
      if (setupLink !== null) {
        process.stderr.write(
          `There is no user yet. Open this link once to become the admin (it is shown only here):\n  ${setupLink}\n`,
        );
      }
      log.info({ url, database: vault.databaseKind }, 'listening');
    },
  });
}

try {
  await main();
} catch (err) {
  process.exitCode = 1;
  // Before there is a log: the configuration is wrong.
  process.stderr.write(err instanceof StartError ? `${err.message}\n` : `${String(err)}\n`);
}
