// The gateway as its operator starts it: a process of its own, which a test can signal and kill.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createGatewayClient } from './gateway-client.ts';
import type { GatewayClient } from './gateway-client.ts';
import { gatewayEnvironment, projectDir, testAdminToken } from './gateway-environment.ts';
import { quickStart } from './quick-start.ts';

export type GatewayProcess = GatewayClient &
  AsyncDisposable & {
    child: ChildProcess;
    dataDir: string;
    stdout: () => string;
    stderr: () => string;
    /** Exit code and signal. */
    exited: Promise<[number | null, NodeJS.Signals | null]>;
  };

export type GatewayProcessOptions = {
  env?: Record<string, string>;
  dataDir?: string;
  keep?: boolean;
  /** A command line that the gateway's own is appended to, such as one that gives up root. */
  launcher?: string[];
  /** Another program than the gateway's own. */
  entry?: string;
  cwd?: string;
};

/** Resolves when it listens; throws with what it said when it ends before that. */
export async function startGatewayProcess(
  options: GatewayProcessOptions = {},
): Promise<GatewayProcess> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gatehouse-')));
  const main = join(projectDir, options.entry ?? 'gateway/main.ts');
  const [file, ...args] = [...(options.launcher ?? []), process.execPath, main];
  const child = spawn(file, args, {
    cwd: options.cwd ?? projectDir,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: dataDir,
      ...quickStart,
      ...gatewayEnvironment(dataDir),
      ...options.env,
    },
    // A group of its own: what a launcher started may be another user's, whom the launcher's end does not end.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const exited = once(child, 'exit').then(
    ([code, signal]): [number | null, NodeJS.Signals | null] => [code, signal],
  );
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
      const line = stdout.split('\n').find((each) => each.includes('"msg":"listening"'));
      if (line !== undefined && stdout.endsWith('\n')) resolve(JSON.parse(line).url);
    });
    child.once('close', () => reject(new Error(`the gateway did not start: ${stdout}${stderr}`)));
  });
  return {
    ...createGatewayClient(url, testAdminToken),
    child,
    dataDir,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    [Symbol.asyncDispose]: async () => {
      killGroup(child);
      await exited;
      if (options.keep !== true) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
