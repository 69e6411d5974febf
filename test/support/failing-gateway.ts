// A gateway that kills itself at a checkpoint: at the nth pass from its start (FAIL_AT=accepted:2), or from when it is told to
// (PUT /fail-at/accepted/2). Until then it is an ordinary one.
import { flushCompileCache } from 'node:module';

import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openGateway } from '../../gateway/app.ts';
import type { Checkpoint } from '../../gateway/checkpoint.ts';
import { readConfig } from '../../gateway/config.ts';
import { projectDir } from './test-gateway.ts';

let [name = '', pass = '0'] = (process.env['FAIL_AT'] ?? '').split(':');
let passes = 0;

const checkpoint: Checkpoint = (passed) => {
  if (passed !== name) return;
  passes += 1;
  if (passes === Number(pass)) process.kill(process.pid, 'SIGKILL');
};

const { config, secrets } = readConfig(process.env, projectDir, 2);
const log = createLog({ level: config.logLevel, service: 'gateway' });
const { app } = await openGateway(
  config,
  secrets,
  {
    projectDir,
    path: process.env['PATH'] ?? '',
    isRoot: process.getuid?.() === 0,
    clock: systemClock,
    log,
    freeMemoryBytes: () => null,
    checkpoint,
  },
  new AsyncDisposableStack(),
);
app.put<{ Params: { name: string; pass: string } }>(
  '/fail-at/:name/:pass',
  { config: { guard: 'public' } },
  (request, reply) => {
    ({ name, pass } = request.params);
    passes = 0;
    void reply.code(204).send();
  },
);
const url = await app.listen({ host: config.listen.host, port: config.listen.port });
// With NODE_COMPILE_CACHE: whoever is killed does not write it when it ends.
flushCompileCache();
log.info({ url }, 'listening');
