// Every environment variable the vault reads: its name, its kind and its default as text.
import * as kinds from '#shared/config/value-kinds.ts';
import { namesOf, optional, secret, withDefault } from '#shared/config/variable.ts';

const databaseUrl: kinds.ValueKind<string> = {
  expected: 'a postgres:// URL',
  parse: (text) => (/^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text) ? text : undefined),
};

export const variables = {
  listenHost: withDefault('VAULT_HOST', kinds.listenHost, '127.0.0.1'),
  listenPort: withDefault('VAULT_PORT', kinds.integer(0, 65_535), '8700'),
  dataDir: withDefault('VAULT_DATA_DIR', kinds.anyText, 'data'),
  databaseUrl: secret('DATABASE_URL', databaseUrl),
  publicUrl: optional('VAULT_URL', kinds.httpUrl),
  production: withDefault('VAULT_PRODUCTION', kinds.flag, 'false'),
  allowCidrs: optional('ALLOW_CIDRS', kinds.listOf(kinds.cidr)),
  allowedHosts: optional('ALLOWED_HOSTS', kinds.listOf(kinds.hostName)),
  allowWildcardBind: withDefault('ALLOW_WILDCARD_BIND', kinds.flag, 'false'),
  trustedProxies: optional('TRUSTED_PROXIES', kinds.listOf(kinds.proxyCidr)),
  ratePerMinute: withDefault('VAULT_RATE_PER_MINUTE', kinds.integer(1, 1_000_000), '60'),
  rateBurst: withDefault('VAULT_RATE_BURST', kinds.integer(0, 1_000_000), '10'),
  attachmentLimit: withDefault('ATTACHMENT_LIMIT_MB', kinds.megabytes(0.001, 512), '32'),
  attachmentsQuota: withDefault('ATTACHMENTS_QUOTA_MB', kinds.megabytes(0.001, 1_048_576), '1024'),
  eventRetentionDays: withDefault('EVENT_RETENTION_DAYS', kinds.integer(0, 36_500), '0'),
  auditRetentionDays: withDefault('VAULT_AUDIT_RETENTION_DAYS', kinds.integer(0, 36_500), '365'),
  requestTimeout: withDefault('VAULT_REQUEST_TIMEOUT_SECS', kinds.seconds(0.001), '60'),
  shutdownGrace: withDefault('VAULT_SHUTDOWN_GRACE_SECS', kinds.seconds(0), '10'),
  logLevel: withDefault(
    'LOG_LEVEL',
    kinds.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
  ),
};

export const variableNames = namesOf(variables);
