// Every environment variable the gateway reads: its name, its kind and its default as text.
import * as kinds from '#shared/config/value-kinds.ts';
import { namesOf, optional, secret, withDefault } from '#shared/config/variable.ts';

import { modelName, modelPattern } from './config-values.ts';

export const variables = {
  listenHost: withDefault('GATEWAY_HOST', kinds.listenHost, '127.0.0.1'),
  listenPort: withDefault('GATEWAY_PORT', kinds.integer(0, 65_535), '8800'),
  dataDir: withDefault('GATEWAY_DATA_DIR', kinds.anyText, 'data'),
  runsDir: optional('RUNS_DIR', kinds.anyText),
  allowCidrs: optional('ALLOW_CIDRS', kinds.listOf(kinds.cidr)),
  allowedHosts: optional('ALLOWED_HOSTS', kinds.listOf(kinds.hostName)),
  allowWildcardBind: withDefault('ALLOW_WILDCARD_BIND', kinds.flag, 'false'),
  metricsCidrs: optional('METRICS_CIDRS', kinds.listOf(kinds.cidr)),
  trustedProxies: optional('TRUSTED_PROXIES', kinds.listOf(kinds.proxyCidr)),
  adminBootstrapToken: secret('ADMIN_BOOTSTRAP_TOKEN', kinds.adminToken),
  claudeBin: optional('CLAUDE_BIN', kinds.anyText),
  defaultModel: withDefault('DEFAULT_MODEL', modelName, 'sonnet'),
  allowedModels: withDefault(
    'ALLOWED_MODELS',
    kinds.listOf(modelPattern),
    'sonnet,opus,haiku,claude-*',
  ),
  concurrency: optional('GATEWAY_CONCURRENCY', kinds.integer(1, 1000)),
  queueLimit: withDefault('RUN_QUEUE_LIMIT', kinds.integer(0, 100_000), '1000'),
  appQueueLimit: optional('RUN_QUEUE_LIMIT_PER_APP', kinds.integer(0, 100_000)),
  runMemory: withDefault('RUN_MEMORY_MB', kinds.megabytes(0, 1_048_576), '200'),
  preparedRuns: optional('PREPARED_RUNS', kinds.integer(0, 100)),
  preparedIdle: withDefault('PREPARED_IDLE_SECS', kinds.seconds(1), '240'),
  runStart: withDefault('RUN_START_SECS', kinds.seconds(0.001), '30'),
  runIdle: withDefault('RUN_IDLE_SECS', kinds.seconds(0.001), '120'),
  runTimeout: withDefault('RUN_TIMEOUT_SECS', kinds.seconds(0.001), '300'),
  runTimeoutMax: withDefault('RUN_TIMEOUT_MAX_SECS', kinds.seconds(0.001), '3600'),
  shutdownGrace: withDefault('SHUTDOWN_GRACE_SECS', kinds.seconds(0), '30'),
  promptLimit: withDefault('PROMPT_LIMIT_MB', kinds.megabytes(0.001, 100), '10'),
  systemLimit: withDefault('SYSTEM_LIMIT_MB', kinds.megabytes(0.001, 100), '1'),
  outputLimit: withDefault('RUN_OUTPUT_LIMIT_MB', kinds.megabytes(0.001, 4096), '64'),
  runDiskLimit: withDefault('RUN_DISK_LIMIT_MB', kinds.megabytes(0.001, 1_048_576), '512'),
  sessionIdle: withDefault('SESSION_IDLE_SECS', kinds.seconds(1, kinds.yearSecs), '604800'),
  sessionLive: withDefault('SESSION_LIVE_SECS', kinds.seconds(0), '300'),
  sessionsLiveMax: withDefault('SESSIONS_LIVE_MAX', kinds.integer(0, 1000), '4'),
  sessionDisk: withDefault('SESSION_DISK_MB', kinds.megabytes(1, 1_048_576), '100'),
  sessionsPerApp: withDefault('SESSIONS_PER_APP', kinds.integer(0, 1_000_000), '1000'),
  diskReserve: withDefault('DISK_RESERVE_MB', kinds.megabytes(0, 1_048_576), '256'),
  uploadLimit: withDefault('UPLOAD_LIMIT_MB', kinds.megabytes(0.001, 512), '32'),
  filesQuota: withDefault('FILES_QUOTA_MB', kinds.megabytes(0.001, 1_048_576), '256'),
  requestTimeout: withDefault('REQUEST_TIMEOUT_SECS', kinds.seconds(0.001), '60'),
  authRetry: withDefault('AUTH_RETRY_SECS', kinds.seconds(0), '60'),
  sandbox: withDefault('SANDBOX', kinds.oneOf('auto', 'require', 'none'), 'auto'),
  auditPrompts: withDefault('AUDIT_PROMPTS', kinds.oneOf('full', 'hash', 'none'), 'full'),
  auditRetentionDays: withDefault('AUDIT_RETENTION_DAYS', kinds.integer(0, 36_500), '365'),
  workspaces: optional('WORKSPACES', kinds.anyText),
  logLevel: withDefault(
    'LOG_LEVEL',
    kinds.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
  ),
  anthropicApiKey: secret('ANTHROPIC_API_KEY', kinds.credential),
  anthropicAuthToken: secret('ANTHROPIC_AUTH_TOKEN', kinds.credential),
  claudeCodeOauthToken: secret('CLAUDE_CODE_OAUTH_TOKEN', kinds.credential),
  // A secret only in messages: a URL may carry a password.
  anthropicBaseUrl: secret('ANTHROPIC_BASE_URL', kinds.httpUrl),
  claudeConfigDir: optional('CLAUDE_CONFIG_DIR', kinds.anyText),
};

export const variableNames = namesOf(variables);

/** What compose.yml reads from the same .env: the gateway sees it as well and has no use for it. */
export const composeVariableNames: ReadonlySet<string> = new Set(['GATEWAY_LAN_IP']);
