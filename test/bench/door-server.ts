// A gateway with one more route, which does nothing behind the guard of apps. Prints its address and an app's token.
import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openGateway } from '../../gateway/app.ts';
import { passThrough } from '../../gateway/checkpoint.ts';
import { readConfig } from '../../gateway/config.ts';
import { createGatewayClient } from '../support/gateway-client.ts';
import { fakeClaude, projectDir, testAdminToken } from '../support/test-gateway.ts';

const { config, secrets } = readConfig(
  {
    GATEWAY_DATA_DIR: process.env['GATEWAY_DATA_DIR'],
    ADMIN_BOOTSTRAP_TOKEN: testAdminToken,
    CLAUDE_BIN: fakeClaude,
    SANDBOX: 'none',
  },
  projectDir,
  1,
);
const { app } = await openGateway(
  config,
  secrets,
  {
    projectDir,
    path: process.env['PATH'] ?? '',
    isRoot: process.getuid?.() === 0,
    clock: systemClock,
    log: createLog({ level: 'info', service: 'gateway' }),
    freeMemoryBytes: () => null,
    checkpoint: passThrough,
  },
  new AsyncDisposableStack(),
);
app.get(
  '/bench',
  {
    config: { guard: 'app' },
    schema: { response: { 200: { type: 'object', properties: { hello: { type: 'string' } } } } },
  },
  () => ({ hello: 'world' }),
);
const url = await app.listen({ host: '127.0.0.1', port: 0 });
const token = await createGatewayClient(url, testAdminToken).mint('bench');
process.stdout.write(`${url} ${token}\n`);
