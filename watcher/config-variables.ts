// Every environment variable the watcher reads: its name, its kind and its default as text.
import * as kinds from '#shared/config/value-kinds.ts';
import { namesOf, optional, secret, withDefault } from '#shared/config/variable.ts';

export const variables = {
  vaultUrl: withDefault('WATCHER_VAULT_URL', kinds.httpUrl, 'http://127.0.0.1:8700'),
  vaultKey: secret('WATCHER_VAULT_KEY', kinds.credential),
  vaultKeyFile: optional('WATCHER_VAULT_KEY_FILE', kinds.anyText),
  gatewayUrl: withDefault('WATCHER_GATEWAY_URL', kinds.httpUrl, 'http://127.0.0.1:8800'),
  gatewayToken: secret('WATCHER_GATEWAY_TOKEN', kinds.credential),
  gatewayTokenFile: optional('WATCHER_GATEWAY_TOKEN_FILE', kinds.anyText),
  dataDir: withDefault('WATCHER_DATA_DIR', kinds.anyText, 'data'),
  agentsFile: optional('AGENTS_FILE', kinds.anyText),
  hostName: optional('WATCHER_HOST_NAME', kinds.hostName),
  healthPort: withDefault('WATCHER_HEALTH_PORT', kinds.integer(0, 65_535), '3001'),
  push: withDefault('WATCHER_PUSH', kinds.flag, 'true'),
  poll: withDefault('WATCHER_POLL_SECS', kinds.seconds(0.1), '2'),
  lease: withDefault('WATCHER_LEASE_SECS', kinds.seconds(3, 3600), '60'),
  attempts: withDefault('WATCHER_ATTEMPTS', kinds.integer(1, 100), '3'),
  firstStart: withDefault('WATCHER_FIRST_START', kinds.oneOf('now', 'all'), 'now'),
  shutdownGrace: withDefault('WATCHER_SHUTDOWN_GRACE_SECS', kinds.seconds(0), '10'),
  logLevel: withDefault(
    'LOG_LEVEL',
    kinds.oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    'info',
  ),
};

export const variableNames = namesOf(variables);
