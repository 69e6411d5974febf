// What the three services need of each other before they can begin: the watcher's key of the vault, and one agent to write to.
import { systemClock } from '#shared/clock.ts';
import { newId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { openDirectory } from '#shared/open-directory.ts';

import { createAgentRegistry } from '../../vault/agents/agent-registry.ts';
import { createAuditLog } from '../../vault/audit/audit-log.ts';
import type { VaultConfig, VaultSecrets } from '../../vault/config.ts';
import { createFeed } from '../../vault/feeds/feed.ts';
import { makeWatcherKey } from '../../vault/identity/service-key.ts';
import { realm } from '../../vault/realm.ts';
import { hostActor, withVaultDatabase } from '../host-vault.ts';

const clock = systemClock;

/** Gives the key. The vault may be running. */
export async function prepareVault(
  config: VaultConfig,
  secrets: VaultSecrets,
  log: Log,
  overlapSecs: number,
): Promise<string> {
  await openDirectory(config.dataDir, 'VAULT_DATA_DIR');
  const audit = createAuditLog(realm, clock);
  const feed = createFeed({ realm, newId, clock });
  const agents = createAgentRegistry({ realm, feed, newId, clock });
  return withVaultDatabase(config, secrets, log, (database) =>
    database.write(async (scope) => {
      const { db } = scope;
      const { keyId, token } = await makeWatcherKey(db, { realm, newId, clock }, overlapSecs);
      const entry = { action: 'key.made_for_watcher', actor: hostActor, address: null };
      await audit.append(db, { ...entry, resource: `key:${keyId}` });
      const anybody = await db.selectFrom('agents').select('agentId').limit(1).executeTakeFirst();
      if (anybody === undefined) {
        const { agentId } = await agents.create(scope, { name: 'Claude' });
        const made = { action: 'agent.created', actor: hostActor, address: null };
        await audit.append(db, { ...made, resource: `agent:${agentId}` });
      }
      return token;
    }),
  );
}

/** Nobody has written to an agent yet: there is nothing old that a watcher could answer late. */
export async function isUnused(
  config: VaultConfig,
  secrets: VaultSecrets,
  log: Log,
): Promise<boolean> {
  return withVaultDatabase(config, secrets, log, async ({ reads }) => {
    const messages = reads.selectFrom('events').where('eventType', '=', 'user_message');
    return (await messages.select('seq').limit(1).executeTakeFirst()) === undefined;
  });
}
