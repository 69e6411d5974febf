// The vault as its operator starts it: a process of its own, which a test can kill.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startNode } from './child-script.ts';
import type { Script } from './child-script.ts';
import type { TestDatabase } from './vault-databases.ts';
import { createCaller, startTestVault } from './vault-world.ts';
import type { TestVault } from './vault-world.ts';

export type VaultProcess = AsyncDisposable & {
  url: string;
  call: TestVault['call'];
  /** With SIGKILL. */
  kill: () => Promise<void>;
  script: Script;
};

export type SeededVault = AsyncDisposable & {
  dataDir: string;
  database: TestDatabase;
  /** Of an admin's key. */
  token: string;
  agentIds: string[];
};

/** A data directory and a database in which there is somebody who may do everything. */
export async function seedVault(
  database: TestDatabase,
  agents: number,
  dataDir?: string,
): Promise<SeededVault> {
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'gatehouse-vault-')));
  const options = { database, dataDir: dir, keep: true };
  await using world = await startTestVault(database.kind, options);
  const { userId } = await world.person('admin');
  const { token } = await world.key(userId);
  const agentIds: string[] = [];
  while (agentIds.length < agents) agentIds.push(await world.agent(token));
  return {
    ...{ dataDir: dir, database, token, agentIds },
    [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }),
  };
}

export function vaultEnvironment(dataDir: string, database: TestDatabase): Record<string, string> {
  return {
    VAULT_DATA_DIR: dataDir,
    VAULT_PORT: '0',
    VAULT_RATE_PER_MINUTE: '1000000',
    VAULT_SHUTDOWN_GRACE_SECS: '1',
    ...(database.url === null ? {} : { DATABASE_URL: database.url }),
  };
}

/** Resolves when it listens; throws with what it said when it ends before that. */
export async function startVaultProcess(
  dataDir: string,
  database: TestDatabase,
  env: Record<string, string> = {},
): Promise<VaultProcess> {
  const script = startNode(['vault/main.ts'], { ...vaultEnvironment(dataDir, database), ...env });
  const { url }: { url: string } = JSON.parse(await script.said('"msg":"listening"'));
  return {
    ...{ url, call: createCaller(`${url}/api/v1`), script },
    async kill() {
      script.child.kill('SIGKILL');
      await script.ended;
    },
    [Symbol.asyncDispose]: script[Symbol.asyncDispose],
  };
}
