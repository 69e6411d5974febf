// What the operator decided, read once from the environment.
import { resolve } from 'node:path';

import { ConfigError } from '#shared/config/config-error.ts';
import { isOpenBind, openBindProblem } from '#shared/config/open-bind.ts';
import { unknownVariables } from '#shared/config/unknown-variables.ts';
import { readVariable } from '#shared/config/variable.ts';
import type { Environment, Variable } from '#shared/config/variable.ts';

import { variableNames, variables } from './config-variables.ts';

export type VaultConfig = ReturnType<typeof readConfig>['config'];
export type VaultSecrets = ReturnType<typeof readConfig>['secrets'];

const ownVariables = {
  service: 'vault',
  pattern: /^(VAULT|ATTACHMENTS?|EVENT)_/,
  known: variableNames,
};

const dayMs = 86_400_000;

/** Secrets are apart, so that the config can be printed. */
export function readConfig(env: Environment, cwd: string) {
  const problems: string[] = [];
  const read = <T>(variable: Variable<T>) => readVariable(env, variable, problems);

  const config = {
    listen: { host: read(variables.listenHost), port: read(variables.listenPort) },
    dataDir: resolve(cwd, read(variables.dataDir)),
    publicUrl: read(variables.publicUrl),
    isProduction: read(variables.production),
    door: {
      allowCidrs: read(variables.allowCidrs) ?? [],
      allowedHosts: read(variables.allowedHosts) ?? [],
      allowWildcardBind: read(variables.allowWildcardBind),
      trustedProxies: read(variables.trustedProxies) ?? [],
    },
    rate: { perMinute: read(variables.ratePerMinute), burst: read(variables.rateBurst) },
    attachments: {
      bytesMax: read(variables.attachmentLimit),
      quotaBytes: read(variables.attachmentsQuota),
    },
    retention: {
      eventsMs: daysMs(read(variables.eventRetentionDays)),
      auditMs: daysMs(read(variables.auditRetentionDays)),
    },
    requestTimeoutMs: read(variables.requestTimeout),
    shutdownGraceMs: read(variables.shutdownGrace),
    logLevel: read(variables.logLevel),
  };
  const secrets = { databaseUrl: read(variables.databaseUrl) };
  const { host } = config.listen;
  if (isOpenBind(host) && !config.door.allowWildcardBind) {
    problems.push(openBindProblem('VAULT_HOST', host));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, secrets, warnings: unknownVariables(env, ownVariables) };
}

/** Null: for ever. */
function daysMs(count: number): number | null {
  return count === 0 ? null : count * dayMs;
}
