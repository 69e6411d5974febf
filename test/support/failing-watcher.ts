// A watcher that kills itself at a checkpoint, at the nth pass from its start (FAIL_AT=claimed:2). Otherwise it is an ordinary one.
import { flushCompileCache } from 'node:module';

import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openWatcher } from '../../watcher/app.ts';
import type { Checkpoint } from '../../watcher/checkpoint.ts';
import { readConfig } from '../../watcher/config.ts';

const [name = '', pass = '0'] = (process.env['FAIL_AT'] ?? '').split(':');
let passes = 0;

const checkpoint: Checkpoint = (passed) => {
  if (passed !== name) return;
  passes += 1;
  if (passes === Number(pass)) process.kill(process.pid, 'SIGKILL');
};

const { config, secrets } = readConfig(process.env, process.cwd());
const log = createLog({ level: 'debug', service: 'watcher' });
const opened = new AsyncDisposableStack();
await openWatcher(config, secrets, { clock: systemClock, log, checkpoint }, opened);
flushCompileCache();
log.info('watching');
process.once('SIGTERM', () => void opened.disposeAsync());
