// npm start: gateway, vault with its page, and watcher on this machine, and what they need of each other. Ctrl-C stops all of them in order.
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { StartError } from '#shared/errors.ts';
import { createLog } from '#shared/log.ts';

import { readConfig as readGatewayConfig } from '../gateway/config.ts';
import { readConfig as readVaultConfig } from '../vault/config.ts';
import { prepareVault } from './start/first-things.ts';
import { makeGatewayToken } from './start/gateway-token.ts';
import { credentialsPath, readCredentials, writeCredentials } from './start/kept-credentials.ts';
import type { WatcherCredentials } from './start/kept-credentials.ts';
import { startPart } from './start/part.ts';
import type { Part } from './start/part.ts';

const projectDir = dirname(import.meta.dirname);
const credentialsLookMs = 2000;

async function start(opened: AsyncDisposableStack): Promise<void> {
  const { env } = process;
  const gatewayConfig = readGatewayConfig(env, process.cwd(), availableParallelism());
  const vaultConfig = readVaultConfig(env, process.cwd());
  const path = credentialsPath(vaultConfig.config.dataDir);
  await buildPage();

  /** `more` is asked at each start of the part. */
  const open = (name: string, more: () => Readonly<Record<string, string>> = () => ({})): Part => {
    const part = startPart({
      ...{ name, main: join(projectDir, name, 'main.ts'), say },
      env: () => ({ ...environment(), ...more() }),
      onLine: (line) => void process.stdout.write(`${line}\n`),
      onSaid: say,
    });
    opened.defer(() => part.stop());
    return part;
  };
  const known = readCredentials(path);
  // Before the vault is there, so that nobody else writes.
  const log = createLog({ level: 'warn', service: 'start' });
  const { config, secrets } = vaultConfig;
  const vaultKey = known?.vaultKey ?? (await prepareVault(config, secrets, log, 0));
  const gateway = open('gateway');
  const gatewayUrl = await gateway.ready;
  const gatewayToken = known?.gatewayToken ?? (await tokenOf(gatewayUrl, gatewayConfig));
  const credentials: WatcherCredentials = { vaultKey, gatewayToken };
  if (known === null) writeCredentials(path, credentials);
  const vaultUrl = await open('vault').ready;
  const watcher = open('watcher', () => watcherEnvironment(path, { gatewayUrl, vaultUrl }));
  // npm run rotate writes others.
  watchFile(path, { interval: credentialsLookMs }, () => watcher.restart());
  opened.defer(() => unwatchFile(path));
  await watcher.ready;
  say(`\nOpen ${config.publicUrl ?? vaultUrl} and write to an agent. Ctrl-C stops everything.`);
}

function watcherEnvironment(
  path: string,
  { gatewayUrl, vaultUrl }: { gatewayUrl: string; vaultUrl: string },
): Record<string, string> {
  const now = readCredentials(path);
  return {
    ...{ WATCHER_VAULT_URL: vaultUrl, WATCHER_GATEWAY_URL: gatewayUrl },
    WATCHER_VAULT_KEY: now?.vaultKey ?? '',
    WATCHER_GATEWAY_TOKEN: now?.gatewayToken ?? '',
  };
}

async function tokenOf(
  url: string,
  { config, secrets }: ReturnType<typeof readGatewayConfig>,
): Promise<string> {
  const admin = { dataDir: config.dataDir, bootstrapToken: secrets.adminBootstrapToken };
  return makeGatewayToken(url, admin, 0);
}

/** The page is made where the tools for it are; else the vault says what is missing. */
async function buildPage(): Promise<void> {
  const isThere = existsSync(join(projectDir, 'dashboard/dist/index.html'));
  if (isThere || !existsSync(join(projectDir, 'node_modules/vite'))) return;
  const args = ['build', '--config', 'dashboard/vite.config.ts', '--logLevel', 'warn'];
  await execa('vite', args, {
    cwd: projectDir,
    preferLocal: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

function environment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).map(([name, value]) => [name, value ?? '']),
  );
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const opened = new AsyncDisposableStack();
const stop = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.resolve());
try {
  await Promise.race([start(opened), stop.promise]);
  await stop.promise;
} catch (err) {
  process.exitCode = 1;
  say(err instanceof StartError || err instanceof Error ? err.message : String(err));
} finally {
  await opened.disposeAsync();
}
