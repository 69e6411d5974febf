// A whole gateway for one test: its own data directory and port, in this process, with everything real behind it.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { createLog } from '#shared/log.ts';

import { openGateway } from '../../gateway/app.ts';
import type { Gateway } from '../../gateway/app.ts';
import { passThrough } from '../../gateway/checkpoint.ts';
import { readConfig } from '../../gateway/config.ts';
import { createGatewayClient } from './gateway-client.ts';
import type { GatewayClient } from './gateway-client.ts';
import { gatewayEnvironment, projectDir, testAdminToken } from './gateway-environment.ts';

export { fakeClaude, projectDir, testAdminToken } from './gateway-environment.ts';

export type TestGateway = GatewayClient &
  AsyncDisposable & {
    gateway: Gateway;
    dataDir: string;
    runsDir: string;
    /** The log so far, parsed. */
    logged: () => Record<string, unknown>[];
    /** What is left of runs on disk. */
    runDirectories: () => Promise<string[]>;
    close: () => Promise<void>;
  };

export type TestGatewayOptions = {
  /** Environment variables of the gateway, on top of those of a test. */
  env?: Record<string, string>;
  clock?: Clock;
  /** What the machine seems to have; without it nobody looks. */
  freeMemoryBytes?: () => number | null;
  dataDir?: string;
  /** Keeps the data directory for a second gateway. */
  keep?: boolean;
};

/** Without bubblewrap and with the fake CLI unless `env` says otherwise. */
export async function startTestGateway(options: TestGatewayOptions = {}): Promise<TestGateway> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'gatehouse-')));
  const { config, secrets } = readConfig(
    { ...gatewayEnvironment(dataDir), GATEWAY_CONCURRENCY: '2', ...options.env },
    projectDir,
    2,
  );
  const lines: string[] = [];
  const log = createLog({
    level: 'debug',
    service: 'gateway',
    destination: { write: (line) => void lines.push(line) },
  });
  const opened = new AsyncDisposableStack();
  let gateway: Gateway;
  try {
    gateway = await openGateway(
      config,
      secrets,
      {
        projectDir,
        path: process.env['PATH'] ?? '',
        isRoot: process.getuid?.() === 0,
        clock: options.clock ?? systemClock,
        log,
        freeMemoryBytes: options.freeMemoryBytes ?? (() => null),
        checkpoint: passThrough,
      },
      opened,
    );
    await gateway.app.listen({ host: config.listen.host, port: 0 });
  } catch (err) {
    await opened.disposeAsync();
    throw err;
  }
  const address = gateway.app.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await opened.disposeAsync();
    if (options.keep !== true) await rm(dataDir, { recursive: true, force: true });
  };
  return {
    ...createGatewayClient(`http://127.0.0.1:${port}`, testAdminToken),
    gateway,
    dataDir,
    runsDir: config.runsDir,
    logged: () => lines.map((line) => JSON.parse(line)),
    runDirectories: async () =>
      (await readdir(config.runsDir)).filter((name) => !name.startsWith('.')),
    close,
    [Symbol.asyncDispose]: close,
  };
}
