// Which of the services are on this host, so that one that is elsewhere is not missed here.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Environment } from '#shared/config/variable.ts';

import { variables as gatewayVariables } from '../../gateway/config-variables.ts';
import { variables as vaultVariables } from '../../vault/config-variables.ts';
import { variables as watcherVariables } from '../../watcher/config-variables.ts';
import { credentialsPath } from '../start/kept-credentials.ts';

export type HostedServices = { gateway: boolean; vault: boolean; watcher: boolean };

/** By what they keep, or by the settings without which they are not there. Where there is nothing at all, a gateway is to be. */
export function findHostedServices(env: Environment, cwd: string): HostedServices {
  const dirOf = ({ name, fallback }: { name: string; fallback: string }): string =>
    resolve(cwd, env[name] || fallback);
  const isSet = (...names: readonly string[]): boolean =>
    names.some((name) => (env[name] ?? '') !== '');
  const vaultDir = dirOf(vaultVariables.dataDir);
  const vault = existsSync(join(vaultDir, 'vault.db')) || isSet(vaultVariables.databaseUrl.name);
  const { vaultKey, gatewayToken, agentsFile } = watcherVariables;
  const watcher =
    existsSync(join(dirOf(watcherVariables.dataDir), 'watcher.db')) ||
    existsSync(credentialsPath(vaultDir)) ||
    isSet(vaultKey.name, gatewayToken.name, agentsFile.name);
  const hasGatewayData = existsSync(join(dirOf(gatewayVariables.dataDir), 'gateway.db'));
  return { gateway: hasGatewayData || (!vault && !watcher), vault, watcher };
}
