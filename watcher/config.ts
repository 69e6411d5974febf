// What the operator decided, read once from the environment.
import { readFileSync } from 'node:fs';
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
  const secretOf = (value: Variable<string | null>, file: Variable<string | null>): string =>
    read(value) ?? secretInFile(read(file), value, cwd, problems) ?? '';
  const vaultKey = secretOf(variables.vaultKey, variables.vaultKeyFile);
  const gatewayToken = secretOf(variables.gatewayToken, variables.gatewayTokenFile);
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

/** Of a file that holds nothing else, as containers and systemd give secrets. */
function secretInFile(
  file: string | null,
  value: Variable<string | null>,
  cwd: string,
  problems: string[],
): string | null {
  if (file === null) return null;
  try {
    const text = readFileSync(resolve(cwd, file), 'utf8').trim();
    return readVariable({ [value.name]: text }, value, problems);
  } catch (err) {
    const reason = err instanceof Error && 'code' in err ? String(err.code) : String(err);
    problems.push(`${value.name}_FILE: ${file} cannot be read (${reason})`);
    return null;
  }
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
