// What the operator decided, read once from the environment.
import { join, resolve } from 'node:path';

import { StartError } from '#shared/errors.ts';

import { allowsModel } from './access/model-pattern.ts';
import { isOpenBind } from './config-values.ts';
import { composeVariableNames, variableNames, variables } from './config-variables.ts';
import type { Variable } from './config-variables.ts';

export type Environment = Record<string, string | undefined>;
export type GatewayConfig = ReturnType<typeof readConfig>['config'];
export type GatewaySecrets = ReturnType<typeof readConfig>['secrets'];

/** Everything that is wrong with the environment, one line each. */
export class ConfigError extends StartError {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

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
  return { config, secrets, warnings: unknownVariables(env) };
}

function readVariable<T>(env: Environment, variable: Variable<T>, problems: string[]): T {
  const { name, kind, fallback, isSecret } = variable;
  const text = env[name] ?? '';
  if (text === '') return fallback;
  const value = kind.parse(text);
  if (value !== undefined) return value;
  const shown = isSecret ? 'has a wrong value (not shown)' : `is ${shortened(text)}`;
  problems.push(`${name} ${shown}: it must be ${kind.expected}`);
  return fallback;
}

// A misspelt limit would silently be no limit. Said, not refused: others set RUN_* and GATEWAY_* for themselves.
// Values are not shown: they may be secrets.
function unknownVariables(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => /^(GATEWAY|RUN|PREPARED|SESSIONS?)_/.test(name))
    .filter((name) => !variableNames.has(name) && !composeVariableNames.has(name))
    .map((name) => `${name} is not a variable of the gateway and has no effect: see .env.example`);
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
    problems.push(
      `GATEWAY_HOST is "${listen.host}", which is not only your own network: ` +
        'it must be a local address, or ALLOW_WILDCARD_BIND must be true',
    );
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

function shortened(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
