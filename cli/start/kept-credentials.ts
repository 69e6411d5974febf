// The watcher's key and token, made at the first start and kept where only its user can read them.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { StartError } from '#shared/errors.ts';

import { writeSecretFile } from './secret-file.ts';

export type WatcherCredentials = { vaultKey: string; gatewayToken: string };

export function credentialsPath(dataDir: string): string {
  return join(dataDir, 'watcher-credentials.json');
}

/** Null when there are none yet. Throws StartError for a file that others can read, or that is none of ours. */
export function readCredentials(path: string): WatcherCredentials | null {
  if (!existsSync(path)) return null;
  if ((statSync(path).mode & 0o077) !== 0) {
    throw new StartError(`${path} can be read by others: chmod 600 it, and npm run rotate`);
  }
  try {
    const { vault_key: vaultKey, gateway_token: gatewayToken }: Record<string, unknown> =
      JSON.parse(readFileSync(path, 'utf8'));
    if (typeof vaultKey === 'string' && typeof gatewayToken === 'string') {
      return { vaultKey, gatewayToken };
    }
  } catch {
    // Said below.
  }
  throw new StartError(
    `${path} is not what npm start has written: remove it, and new ones are made`,
  );
}

/** Whole or not at all. */
export function writeCredentials(
  path: string,
  { vaultKey, gatewayToken }: WatcherCredentials,
): void {
  writeSecretFile(path, JSON.stringify({ vault_key: vaultKey, gateway_token: gatewayToken }));
}
