// What the three services need of each other before they can begin: the watcher's key of the vault, and one agent to write to.
import { systemClock } from '#shared/clock.ts';
import { newId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { openDirectory } from '#shared/open-directory.ts';

import { createAgentRegistry } from '../../vault/agents/agent-registry.ts';
import { createAuditLog } from '../../vault/audit/audit-log.ts';
import type { VaultConfig, VaultSecrets } from '../../vault/config.ts';
import { openVaultDatabase } from '../../vault/database/vault-database.ts';
import { createFeed } from '../../vault/feeds/feed.ts';
import { makeWatcherKey } from '../../vault/identity/service-key.ts';
import { realm } from '../../vault/realm.ts';

const host = { kind: 'host', id: null, name: null } as const;
const clock = systemClock;

export type PreparedVault = { vaultKey: string };

/** The vault may be running. */
export async function prepareVault(
  { dataDir }: VaultConfig,
  { databaseUrl }: VaultSecrets,
  log: Log,
  overlapSecs: number,
): Promise<PreparedVault> {
  await openDirectory(dataDir, 'VAULT_DATA_DIR');
  const database = await openVaultDatabase({
    ...{ databaseUrl, dataDir, clock, log },
    onCommitted: () => {},
  });
  const audit = createAuditLog(realm, clock);
  const agents = createAgentRegistry({
    realm,
    feed: createFeed({ realm, newId, clock }),
    newId,
    clock,
  });
  try {
    return await database.write(async (scope) => {
      const { db } = scope;
      const { keyId, token } = await makeWatcherKey(db, { realm, newId, clock }, overlapSecs);
      const entry = { action: 'key.made_for_watcher', actor: host, address: null };
      await audit.append(db, { ...entry, resource: `key:${keyId}` });
      const anybody = await db.selectFrom('agents').select('agentId').limit(1).executeTakeFirst();
      if (anybody === undefined) {
        const { agentId } = await agents.create(scope, { name: 'Claude' });
        const made = { action: 'agent.created', actor: host, address: null };
        await audit.append(db, { ...made, resource: `agent:${agentId}` });
      }
      return { vaultKey: token };
    });
  } finally {
    await database.close();
  }
}

/** Nobody has written to an agent yet: there is nothing old that a watcher could answer late. */
export async function isUnused(
  { dataDir }: VaultConfig,
  { databaseUrl }: VaultSecrets,
  log: Log,
): Promise<boolean> {
  const surroundings = { databaseUrl, dataDir, clock, log };
  const database = await openVaultDatabase({ ...surroundings, onCommitted: () => {} });
  try {
    const messages = database.reads.selectFrom('events').where('eventType', '=', 'user_message');
    return (await messages.select('seq').limit(1).executeTakeFirst()) === undefined;
  } finally {
    await database.close();
  }
}
