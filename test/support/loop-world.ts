// Vault, gateway and watcher together for one test, in this process: a message to an agent comes back as an answer.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openWatcher } from '../../watcher/app.ts';
import type { Watcher } from '../../watcher/app.ts';
import { passThrough } from '../../watcher/checkpoint.ts';
import { readConfig } from '../../watcher/config.ts';
import { projectDir } from './gateway-environment.ts';
import { quickStart } from './quick-start.ts';
import { startTestGateway } from './test-gateway.ts';
import type { TestGateway } from './test-gateway.ts';
import type { VaultDatabase } from './vault-databases.ts';
import { startTestVault } from './vault-world.ts';
import type { SignedIn, TestVault } from './vault-world.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
export type SeenEvent = any;

/** Ends with its world, unless it is closed before. */
export type LoopWatcher = {
  watcher: Watcher;
  logged: () => Record<string, unknown>[];
  close: () => Promise<void>;
};

export type WatcherProcess = AsyncDisposable & {
  child: ChildProcess;
  /** What it was ended by, once it has ended. */
  exited: Promise<NodeJS.Signals | null>;
  output: () => string;
};

export type LoopWorld = AsyncDisposable & {
  vault: TestVault;
  gateway: TestGateway;
  admin: SignedIn;
  agentId: string;
  /** The watcher's at the gateway. */
  gatewayToken: string;
  /** Of watchers. */
  dataDir: string;
  /** Where the gateway has what the runs of sessions work in. */
  runsDir: string;
  startWatcher: (env?: Record<string, string>, dataDir?: string) => Promise<LoopWatcher>;
  /** The same as a process of its own, which a test can kill. */
  spawnWatcher: (env?: Record<string, string>, dataDir?: string) => WatcherProcess;
  say: (content: string, more?: Record<string, unknown>) => Promise<SeenEvent>;
  /** Oldest first. */
  feed: () => Promise<SeenEvent[]>;
  /** Resolves with the last word on a message. */
  answerTo: (eventId: string) => Promise<SeenEvent>;
};

export type LoopOptions = {
  kind?: VaultDatabase;
  gatewayEnv?: Record<string, string>;
  /** Of the agent, as AGENTS_FILE has them. */
  settings?: Record<string, unknown>;
};

export async function startLoopWorld(options: LoopOptions = {}): Promise<LoopWorld> {
  const opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-loop-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const vault = opened.use(await startTestVault(options.kind ?? 'sqlite'));
  const gateway = opened.use(await startTestGateway({ env: options.gatewayEnv ?? {} }));
  const admin = await vault.person('admin', 'ada');
  const agentId = await vault.agent(admin.token, 'Librarian');
  const key = await vault.key(admin.userId);
  const token = await gateway.mint('watcher');
  const agentsFile = join(dataDir, 'agents.json');
  await writeFile(agentsFile, JSON.stringify({ agents: { Librarian: options.settings ?? {} } }));
  const feed = async (): Promise<SeenEvent[]> => {
    const { body } = await vault.call(admin.token, `/agents/${agentId}/events?order=asc&limit=200`);
    return body.data;
  };
  const environment = (env: Record<string, string>, ownDir: string): Record<string, string> => ({
    ...{ WATCHER_DATA_DIR: ownDir, WATCHER_VAULT_URL: vault.url, WATCHER_VAULT_KEY: key.token },
    ...{ WATCHER_GATEWAY_URL: gateway.url, WATCHER_GATEWAY_TOKEN: token },
    ...{ AGENTS_FILE: agentsFile, WATCHER_FIRST_START: 'all', ...env },
  });
  const usualDir = join(dataDir, 'watcher');
  return {
    ...{ vault, gateway, admin, agentId, gatewayToken: token, dataDir, feed },
    spawnWatcher: (env = {}, ownDir = usualDir) =>
      opened.use(spawnWatcher(environment(env, ownDir))),
    runsDir: join(gateway.dataDir, 'sessions'),
    async startWatcher(env = {}, ownDir = usualDir) {
      const { config, secrets } = readConfig(environment(env, ownDir), dataDir);
      const lines: string[] = [];
      const destination = { write: (line: string) => void lines.push(line) };
      const log = createLog({ level: 'debug', service: 'watcher', destination });
      const stack = new AsyncDisposableStack();
      const surroundings = { clock: systemClock, log, checkpoint: passThrough };
      const watcher = await openWatcher(config, secrets, surroundings, stack);
      let isClosed = false;
      const close = async (): Promise<void> => {
        if (!isClosed) await stack.disposeAsync();
        isClosed = true;
      };
      opened.defer(close);
      return { watcher, logged: () => lines.map((line) => JSON.parse(line)), close };
    },
    say: (content, more = {}) =>
      vault.post(admin.token, agentId, { event_type: 'user_message', content, ...more }),
    feed,
    async answerTo(eventId) {
      const found = async (): Promise<SeenEvent> =>
        (await feed()).find(
          ({ reply_to: to, event_type: type, metadata }: SeenEvent) =>
            to === eventId &&
            (type === 'assistant_message' || (type === 'system' && metadata.outcome !== undefined)),
        );
      await expect.poll(found, { timeout: 20_000 }).toBeDefined();
      return found();
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function spawnWatcher(env: Record<string, string>): WatcherProcess {
  const child = spawn(process.execPath, [join(projectDir, 'test/support/failing-watcher.ts')], {
    env: { PATH: process.env['PATH'] ?? '', ...quickStart, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const exited = once(child, 'exit').then(([, signal]): NodeJS.Signals | null => signal);
  return {
    ...{ child, exited, output: () => output },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}
