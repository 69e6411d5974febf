// The agents that this watcher answers for, as the vault has them.
import type { Log } from '#shared/log.ts';
import type { VaultClient } from '#shared/vault-client.ts';

import type { AgentSettings } from './agents-file.ts';

export type WatchedAgent = { agentId: string; name: string; settings: AgentSettings };

export type AgentRoster = {
  find: (agentId: string) => WatchedAgent | null;
  all: () => WatchedAgent[];
  /** Asks the vault again. Throws what the client throws. */
  refresh: (signal?: AbortSignal) => Promise<void>;
};

export function createAgentRoster(
  vault: Pick<VaultClient, 'agents'>,
  settings: ReadonlyMap<string, AgentSettings> | null,
  log: Log,
): AgentRoster {
  let agents = new Map<string, WatchedAgent>();
  const warned = new Set<string>();
  return {
    find: (agentId) => agents.get(agentId) ?? null,
    all: () => [...agents.values()],
    async refresh(signal) {
      const found = await vault.agents({ signal });
      agents = new Map(
        found.flatMap(({ agent_id: agentId, name }) => {
          const own = settings === null ? {} : (settings.get(agentId) ?? settings.get(name));
          return own === undefined ? [] : [[agentId, { agentId, name, settings: own }]];
        }),
      );
      const known = new Set(found.flatMap(({ agent_id: agentId, name }) => [agentId, name]));
      for (const name of settings?.keys() ?? []) {
        if (known.has(name) || warned.has(name)) continue;
        warned.add(name);
        log.warn({ agent: name }, 'the vault has no such agent');
      }
    },
  };
}
