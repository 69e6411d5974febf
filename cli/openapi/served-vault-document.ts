// The API document as a vault of this code serves it: a real one on an empty database, which listens nowhere.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openVault } from '../../vault/app.ts';
import { readConfig } from '../../vault/config.ts';

export async function readVaultDocument(projectDir: string): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-openapi-'));
  try {
    await using opened = new AsyncDisposableStack();
    const { config, secrets } = readConfig({ VAULT_DATA_DIR: dataDir }, projectDir);
    const log = createLog({ level: 'silent', service: 'openapi' });
    const { app } = await openVault(config, secrets, { clock: systemClock, log }, opened);
    const { statusCode, body } = await app.inject('/api/openapi.json');
    if (statusCode !== 200) throw new Error(`the vault answers ${statusCode}: ${body}`);
    return body;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
