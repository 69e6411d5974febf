// Gateway, vault with its page, and watcher on this machine, each a process, with what they need of each other.
import { existsSync, unwatchFile, watchFile } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { ConfigError } from '#shared/config/config-error.ts';
import type { Environment } from '#shared/config/variable.ts';
import { createLog } from '#shared/log.ts';

import { readConfig as readGatewayConfig } from '../../gateway/config.ts';
import { readConfig as readVaultConfig } from '../../vault/config.ts';
import { readConfig as readWatcherConfig } from '../../watcher/config.ts';
import { isUnused, prepareVault } from './first-things.ts';
import { makeGatewayToken } from './gateway-token.ts';
import { credentialsPath, readCredentials, writeCredentials } from './kept-credentials.ts';
import { startPart } from './part.ts';
import type { Part } from './part.ts';

export type WholeSet = {
  gatewayUrl: string;
  /** Where people open the page. */
  pageUrl: string;
};

export type WholeSetOptions = {
  env: Environment;
  /** What relative paths of the settings are relative to. */
  cwd: string;
  /** Each line of the log of a part. */
  onLine: (line: string) => void;
  /** What is said to people. */
  say: (text: string) => void;
};

const projectDir = dirname(dirname(import.meta.dirname));
const credentialsLookMs = 2000;

/** All of them end with `opened`, the last one first. Rejects when one of them does not start. */
export async function openWholeSet(
  opened: AsyncDisposableStack,
  { env, cwd, onLine, say }: WholeSetOptions,
): Promise<WholeSet> {
  const { gatewayConfig, vaultConfig } = readSettings(env, cwd);
  const path = credentialsPath(vaultConfig.config.dataDir);
  await buildPage();

  /** `more` is asked at each start of the part. */
  const open = (name: string, more: () => Readonly<Record<string, string>> = () => ({})): Part => {
    // Who was told to stop meanwhile starts nothing more.
    if (opened.disposed) throw new Error(`stopped before ${name} was started`);
    const part = startPart({
      ...{ name, main: join(projectDir, name, 'main.ts'), cwd },
      env: () => ({ ...definedOnly(env), ...more() }),
      ...{ onLine, onSaid: say, say },
    });
    opened.defer(() => part.stop());
    return part;
  };
  const known = readCredentials(path);
  // Before the vault is there, so that nobody else writes.
  const log = createLog({ level: 'warn', service: 'start' });
  const { config, secrets } = vaultConfig;
  const newKey = known === null ? await prepareVault(config, secrets, log, 0) : null;
  // Who writes first is perhaps quicker than the watcher's first start, also where an earlier one of the set was broken off.
  const firstStart = (await isUnused(config, secrets, log)) ? { WATCHER_FIRST_START: 'all' } : {};
  const gateway = open('gateway');
  const gatewayUrl = await gateway.ready;
  if (newKey !== null) {
    const gatewayToken = await tokenOf(gatewayUrl, gatewayConfig);
    writeCredentials(path, { vaultKey: newKey, gatewayToken });
  }
  const vaultUrl = await open('vault').ready;
  const watcher = open('watcher', () => ({
    ...firstStart,
    ...watcherEnvironment(path, { gatewayUrl, vaultUrl }),
  }));
  // npm run rotate writes others.
  watchFile(path, { interval: credentialsLookMs }, () => watcher.restart());
  opened.defer(() => unwatchFile(path));
  await watcher.ready;
  return { gatewayUrl, pageUrl: config.publicUrl ?? vaultUrl };
}

/** Of all three, so that whoever got several wrong is told of each at once. */
function readSettings(env: Environment, cwd: string) {
  const problems = new Set<string>();
  const settingsOf = <T>(read: () => T): T | null => {
    try {
      return read();
    } catch (err) {
      if (!(err instanceof ConfigError)) throw err;
      for (const problem of err.problems) problems.add(problem);
      return null;
    }
  };
  const gatewayConfig = settingsOf(() => readGatewayConfig(env, cwd, availableParallelism()));
  const vaultConfig = settingsOf(() => readVaultConfig(env, cwd));
  // Its key and its token are made when the others are there.
  const given = { WATCHER_VAULT_KEY: 'made-later', WATCHER_GATEWAY_TOKEN: 'made-later' };
  settingsOf(() => readWatcherConfig({ ...env, ...given }, cwd));
  if (gatewayConfig === null || vaultConfig === null || problems.size > 0) {
    throw new ConfigError([...problems]);
  }
  return { gatewayConfig, vaultConfig };
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

function definedOnly(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value ?? '']));
}
