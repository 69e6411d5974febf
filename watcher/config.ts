// What the operator decided, read once from the environment.
import { hostname } from 'node:os';
import { resolve } from 'node:path';

import { ConfigError } from '#shared/config/config-error.ts';
import { unknownVariables } from '#shared/config/unknown-variables.ts';
import { readVariable } from '#shared/config/variable.ts';
import type { Environment, Variable } from '#shared/config/variable.ts';

import { variableNames, variables } from './config-variables.ts';

export type WatcherConfig = ReturnType<typeof readConfig>['config'];
export type WatcherSecrets = ReturnType<typeof readConfig>['secrets'];

const ownVariables = { service: 'watcher', pattern: /^WATCHER_/, known: variableNames };

/** Secrets are apart, so that the config can be printed. */
export function readConfig(env: Environment, cwd: string) {
  const problems: string[] = [];
  const read = <T>(variable: Variable<T>) => readVariable(env, variable, problems);
  const agentsFile = read(variables.agentsFile);
  const config = {
    vaultUrl: read(variables.vaultUrl),
    gatewayUrl: read(variables.gatewayUrl),
    dataDir: resolve(cwd, read(variables.dataDir)),
    agentsFile: agentsFile === null ? null : resolve(cwd, agentsFile),
    hostName: read(variables.hostName) ?? nameOfHost(),
    healthPort: read(variables.healthPort),
    isPushed: read(variables.push),
    pollMs: read(variables.poll),
    leaseSecs: Math.round(read(variables.lease) / 1000),
    attemptsMax: read(variables.attempts),
    firstStart: read(variables.firstStart),
    shutdownGraceMs: read(variables.shutdownGrace),
    logLevel: read(variables.logLevel),
  };
  const vaultKey = read(variables.vaultKey) ?? '';
  const gatewayToken = read(variables.gatewayToken) ?? '';
  if (vaultKey === '')
    problems.push(`${variables.vaultKey.name} is missing: make a key in the vault`);
  if (gatewayToken === '') {
    problems.push(`${variables.gatewayToken.name} is missing: make a token at the gateway`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    config,
    secrets: { vaultKey, gatewayToken },
    warnings: unknownVariables(env, ownVariables),
  };
}

/** As the vault takes it. */
function nameOfHost(): string {
  return (
    hostname()
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]/g, '-')
      .slice(0, 64) || 'host'
  );
}
