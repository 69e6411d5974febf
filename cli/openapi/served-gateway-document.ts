// The API document as a gateway of this code serves it: a real one, which listens nowhere and has nothing behind it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openGateway } from '../../gateway/app.ts';
import { passThrough } from '../../gateway/checkpoint.ts';
import { readConfig } from '../../gateway/config.ts';

export async function readGatewayDocument(projectDir: string): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-openapi-'));
  try {
    await using opened = new AsyncDisposableStack();
    const env = { GATEWAY_DATA_DIR: dataDir, CLAUDE_CONFIG_DIR: dataDir, SANDBOX: 'none' };
    const { config, secrets } = readConfig(env, projectDir, 1);
    const log = createLog({ level: 'silent', service: 'openapi' });
    const { app } = await openGateway(config, secrets, surroundings(projectDir, log), opened);
    const { statusCode, body } = await app.inject('/openapi.json');
    if (statusCode !== 200) throw new Error(`the gateway answers ${statusCode}: ${body}`);
    return body;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function surroundings(projectDir: string, log: ReturnType<typeof createLog>) {
  return {
    ...{ projectDir, log, clock: systemClock, checkpoint: passThrough },
    ...{ path: '', isRoot: false, freeMemoryBytes: () => null },
  };
}
