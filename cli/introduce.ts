// node cli/introduce.ts [--renew]: makes the watcher's key of the vault and its token of the gateway and puts them into the files that
// WATCHER_VAULT_KEY_FILE and WATCHER_GATEWAY_TOKEN_FILE name: what npm start does for itself, for services that run apart. Gateway and
// vault are running. 0 the watcher has both, 1 it has not, and why.
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { StartError } from '#shared/errors.ts';
import { createLog } from '#shared/log.ts';

import { readConfig as readVaultConfig } from '../vault/config.ts';
import { prepareVault } from './start/first-things.ts';
import { makeGatewayToken } from './start/gateway-token.ts';
import { writeSecretFile } from './start/secret-file.ts';

const overlapSecs = 3600;
const patienceMs = 60_000;
const triesApartMs = 500;

try {
  const { values } = parseArgs({ options: { renew: { type: 'boolean', default: false } } });
  await introduce(values.renew);
} catch (err) {
  const reason = err instanceof Error ? err.message : String(err);
  process.stderr.write(`the watcher was given nothing: ${reason}\n`);
  process.exitCode = 1;
}

async function introduce(isRenewed: boolean): Promise<void> {
  const { env } = process;
  const keyFile = required('WATCHER_VAULT_KEY_FILE');
  const tokenFile = required('WATCHER_GATEWAY_TOKEN_FILE');
  if (!isRenewed && existsSync(keyFile) && existsSync(tokenFile)) {
    process.stdout.write('the watcher has its key and its token\n');
    return;
  }
  const gatewayUrl = required('WATCHER_GATEWAY_URL');
  await answered(`${gatewayUrl}/livez`, 'the gateway');
  await answered(`${required('WATCHER_VAULT_URL')}/api/v1/health/live`, 'the vault');
  const admin = {
    dataDir: required('GATEWAY_DATA_DIR'),
    bootstrapToken: env['ADMIN_BOOTSTRAP_TOKEN'] || null,
  };
  const overlap = isRenewed ? overlapSecs : 0;
  const token = await makeGatewayToken(gatewayUrl, admin, overlap);
  const vault = readVaultConfig(env, process.cwd());
  const log = createLog({ level: 'warn', service: 'introduce', destination: process.stderr });
  const { vaultKey } = await prepareVault(vault.config, vault.secrets, log, overlap);
  writeSecretFile(keyFile, vaultKey);
  writeSecretFile(tokenFile, token);
  process.stdout.write('the watcher has a new key and a new token\n');
}

/** They may be starting as well. */
async function answered(url: string, who: string): Promise<void> {
  const tries = patienceMs / triesApartMs;
  for (let left = tries; left > 0; left -= 1) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => null);
    if (answer !== null) return;
    await sleep(triesApartMs);
  }
  throw new StartError(`${who} does not answer at ${url}: look at its log`);
}

function required(name: string): string {
  const value = process.env[name] ?? '';
  if (value === '') throw new StartError(`${name} is missing`);
  return value;
}
