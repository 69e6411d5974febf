// What the operator decided, read once from the environment.
import { join, resolve } from 'node:path';

import { ConfigError } from '#shared/config/config-error.ts';
import { isOpenBind, openBindProblem } from '#shared/config/open-bind.ts';
import { unknownVariables } from '#shared/config/unknown-variables.ts';
import { readVariable } from '#shared/config/variable.ts';
import type { Environment, Variable } from '#shared/config/variable.ts';

import { allowsModel } from './access/model-pattern.ts';
import { composeVariableNames, variableNames, variables } from './config-variables.ts';

export type GatewayConfig = ReturnType<typeof readConfig>['config'];
export type GatewaySecrets = ReturnType<typeof readConfig>['secrets'];

const ownVariables = {
  service: 'gateway',
  pattern: /^(GATEWAY|RUN|PREPARED|SESSIONS?)_/,
  known: new Set([...variableNames, ...composeVariableNames]),
};

/** Secrets are apart, so that the config can be printed. */
export function readConfig(env: Environment, cwd: string, cores: number) {
  const problems: string[] = [];
  const read = <T>(variable: Variable<T>) => readVariable(env, variable, problems);
  const absolute = (path: string | null) => (path === null ? null : resolve(cwd, path));

  const dataDir = resolve(cwd, read(variables.dataDir));
  const retentionDays = read(variables.auditRetentionDays);
  const config = {
    listen: { host: read(variables.listenHost), port: read(variables.listenPort) },
    dataDir,
    runsDir: absolute(read(variables.runsDir)) ?? join(dataDir, 'runs'),
    door: {
      allowCidrs: read(variables.allowCidrs) ?? [],
      allowedHosts: read(variables.allowedHosts) ?? [],
      allowWildcardBind: read(variables.allowWildcardBind),
      trustedProxies: read(variables.trustedProxies) ?? [],
      metricsCidrs: read(variables.metricsCidrs) ?? [],
    },
    claude: {
      bin: read(variables.claudeBin),
      baseUrl: read(variables.anthropicBaseUrl),
      configDir: absolute(read(variables.claudeConfigDir)),
      homeDir: env['HOME'] || null,
    },
    models: { default: read(variables.defaultModel), allowed: read(variables.allowedModels) },
    runs: {
      concurrency: read(variables.concurrency) ?? Math.max(1, cores),
      queueLimit: read(variables.queueLimit),
      appQueueLimit: read(variables.appQueueLimit),
      startMs: read(variables.runStart),
      idleMs: read(variables.runIdle),
      timeoutMs: read(variables.runTimeout),
      timeoutMaxMs: read(variables.runTimeoutMax),
      authRetryMs: read(variables.authRetry),
      shutdownGraceMs: read(variables.shutdownGrace),
    },
    prepared: { size: read(variables.preparedRuns), idleMs: read(variables.preparedIdle) },
    limits: {
      promptBytes: read(variables.promptLimit),
      systemBytes: read(variables.systemLimit),
      outputBytes: read(variables.outputLimit),
      runDiskBytes: read(variables.runDiskLimit),
      runMemoryBytes: read(variables.runMemory),
      diskReserveBytes: read(variables.diskReserve),
      uploadBytes: read(variables.uploadLimit),
      filesQuotaBytes: read(variables.filesQuota),
      requestTimeoutMs: read(variables.requestTimeout),
    },
    sessions: {
      sessionIdleMs: read(variables.sessionIdle),
      sessionLiveMs: read(variables.sessionLive),
      sessionsLiveMax: read(variables.sessionsLiveMax),
      sessionDiskBytes: read(variables.sessionDisk),
      sessionsPerApp: read(variables.sessionsPerApp),
    },
    sandbox: read(variables.sandbox),
    workspacesFile: absolute(read(variables.workspaces)),
    audit: {
      prompts: read(variables.auditPrompts),
      retentionMs: retentionDays === 0 ? null : retentionDays * 86_400_000,
    },
    logLevel: read(variables.logLevel),
  };
  const secrets = {
    adminBootstrapToken: read(variables.adminBootstrapToken),
    anthropicApiKey: read(variables.anthropicApiKey),
    anthropicAuthToken: read(variables.anthropicAuthToken),
    claudeCodeOauthToken: read(variables.claudeCodeOauthToken),
  };
  problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return { config, secrets, warnings: unknownVariables(env, ownVariables) };
}

function contradictions(config: {
  listen: { host: string };
  door: { allowWildcardBind: boolean };
  models: { default: string; allowed: string[] };
  runs: { timeoutMs: number; timeoutMaxMs: number };
  sandbox: string;
  workspacesFile: string | null;
}): string[] {
  const { listen, door, models, runs } = config;
  const problems: string[] = [];
  if (isOpenBind(listen.host) && !door.allowWildcardBind) {
    problems.push(openBindProblem('GATEWAY_HOST', listen.host));
  }
  if (!allowsModel(models.allowed, models.default)) {
    problems.push(`DEFAULT_MODEL is "${models.default}": it must be one of ALLOWED_MODELS`);
  }
  if (config.workspacesFile !== null && config.sandbox === 'none') {
    problems.push('WORKSPACES is set and SANDBOX is "none": nothing would confine a run to one');
  }
  if (runs.timeoutMs > runs.timeoutMaxMs) {
    problems.push(
      `RUN_TIMEOUT_SECS is "${runs.timeoutMs / 1000}": ` +
        `it must be at most RUN_TIMEOUT_MAX_SECS, ${runs.timeoutMaxMs / 1000}`,
    );
  }
  return problems;
}
