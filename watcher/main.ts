// The process: environment, signals, standard streams. Everything else is in app.ts.
import { systemClock } from '#shared/clock.ts';
import { StartError } from '#shared/errors.ts';
import { listen } from '#shared/listen.ts';
import { createLog } from '#shared/log.ts';
import { runService } from '#shared/service.ts';

import { openWatcher } from './app.ts';
import { passThrough } from './checkpoint.ts';
import { readConfig } from './config.ts';

/** What closing takes beyond the grace. */
const closingMs = 5000;

async function main(): Promise<void> {
  const { config, secrets, warnings } = readConfig(process.env, process.cwd());
  const log = createLog({ level: config.logLevel, service: 'watcher' });
  for (const warning of warnings) log.warn(warning);
  await runService({
    log,
    graceMs: config.shutdownGraceMs + closingMs,
    open: async (opened) => {
      const surroundings = { clock: systemClock, log, checkpoint: passThrough };
      const watcher = await openWatcher(config, secrets, surroundings, opened);
      const url = await listen(
        watcher.healthApp,
        { host: '127.0.0.1', port: config.healthPort },
        'WATCHER_HEALTH_PORT',
      );
      log.info({ url, vault: config.vaultUrl, gateway: config.gatewayUrl }, 'watching');
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
