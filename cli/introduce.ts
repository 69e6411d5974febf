// node cli/introduce.ts [--renew]: makes the watcher's key of the vault and its token of the gateway and puts them into the files that
// WATCHER_VAULT_KEY_FILE and WATCHER_GATEWAY_TOKEN_FILE name: what npm start does for itself, for services that run apart. One that is
// given as a variable is not made: its service is elsewhere. 0 the watcher has both, 1 it has not, and why.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { StartError } from '#shared/errors.ts';
import { createLog } from '#shared/log.ts';

import { readConfig as readVaultConfig } from '../vault/config.ts';
import { prepareVault } from './start/first-things.ts';
import { makeGatewayToken } from './start/gateway-token.ts';
import { writeSecretFile } from './start/secret-file.ts';

const renewedOverlapSecs = 3600;
const patienceMs = 60_000;
const triesApartMs = 500;

type Secret = {
  /** As the watcher calls it. */
  name: 'WATCHER_VAULT_KEY' | 'WATCHER_GATEWAY_TOKEN';
  /** As people call it. */
  what: string;
  giver: string;
  /** Below the address of whoever gives it: what anybody is told, and what only its bearer is told. */
  openPath: string;
  path: string;
  make: (url: string, overlapSecs: number) => Promise<string>;
};

const vaultKey: Secret = {
  ...{ name: 'WATCHER_VAULT_KEY', what: 'key', giver: 'the vault' },
  ...{ openPath: '/api/v1/health/live', path: '/api/v1/agents?limit=1' },
  async make(_url, overlapSecs) {
    const { config, secrets } = readVaultConfig(process.env, process.cwd());
    const log = createLog({ level: 'warn', service: 'introduce', destination: process.stderr });
    return prepareVault(config, secrets, log, overlapSecs);
  },
};

const gatewayToken: Secret = {
  ...{ name: 'WATCHER_GATEWAY_TOKEN', what: 'token', giver: 'the gateway' },
  ...{ openPath: '/livez', path: '/me' },
  make(url, overlapSecs) {
    const dataDir = required('GATEWAY_DATA_DIR');
    const bootstrapToken = process.env['ADMIN_BOOTSTRAP_TOKEN'] || null;
    return makeGatewayToken(url, { dataDir, bootstrapToken }, overlapSecs);
  },
};

try {
  const { values } = parseArgs({ options: { renew: { type: 'boolean', default: false } } });
  await provide(gatewayToken, values.renew);
  await provide(vaultKey, values.renew);
} catch (err) {
  const reason = err instanceof Error ? err.message : String(err);
  process.stderr.write(`the watcher was not given what it needs: ${reason}\n`);
  process.exitCode = 1;
}

async function provide(secret: Secret, isRenewed: boolean): Promise<void> {
  const { name, what, giver } = secret;
  if ((process.env[name] ?? '') !== '') return say(`the watcher has its own ${what} of ${giver}`);
  const file = required(`${name}_FILE`);
  const url = required(name === 'WATCHER_VAULT_KEY' ? 'WATCHER_VAULT_URL' : 'WATCHER_GATEWAY_URL');
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : null;
  const status = await statusFor(secret, url, kept);
  if (!isRenewed && kept !== null && status !== 401) {
    return say(`the watcher has its ${what} of ${giver}`);
  }
  if (status === null) throw new StartError(`${giver} does not answer at ${url}: look at its log`);
  writeSecretFile(file, await secret.make(url, isRenewed ? renewedOverlapSecs : 0));
  const isLost = kept !== null && status === 401;
  say(
    `the watcher has a new ${what} of ${giver}${isLost ? ', which does not know the old one' : ''}`,
  );
}

/** What the bearer is answered; null for nothing. Whoever answers may be starting as well. */
async function statusFor(
  { path, openPath }: Secret,
  url: string,
  bearer: string | null,
): Promise<number | null> {
  const [target, headers] =
    bearer === null ? [openPath, {}] : [path, { authorization: `Bearer ${bearer}` }];
  for (let left = patienceMs / triesApartMs; left > 0; left -= 1) {
    const signal = AbortSignal.timeout(5000);
    const answer = await fetch(`${url}${target}`, { headers, signal }).catch(() => null);
    if (answer !== null) return answer.status;
    await sleep(triesApartMs);
  }
  return null;
}

function required(name: string): string {
  const value = process.env[name] ?? '';
  if (value === '') throw new StartError(`${name} is missing`);
  return value;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
