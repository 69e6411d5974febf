// kill -9 at every point of a run's way, under load: no run lost, none done twice, none stuck.
import { mkdtempDisposableSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test, vi } from 'vitest';

import type { CheckpointName } from '../../gateway/checkpoint.ts';
import { faultsAfter } from '../support/crash-faults.ts';
import { crashUnderLoad } from '../support/crash-under-load.ts';
import { startExecutionLog } from '../support/execution-log.ts';
import { readRows } from '../support/gateway-facts.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess, GatewayProcessOptions } from '../support/gateway-process.ts';
import { mintLoadApps } from '../support/mixed-load.ts';
import { projectDir, testAdminToken } from '../support/test-gateway.ts';

vi.setConfig({ maxConcurrency: 2, testTimeout: 180_000 });

const concurrency = 2;
const entry = 'test/support/failing-gateway.ts';
const apiKey = 'sk-test-5c1d-of-a-crash';

/** Half of what a gateway takes to start is reading its source. */
const compileCache = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-cache-'));
afterAll(() => compileCache.remove());

const environment = {
  ...{ GATEWAY_CONCURRENCY: String(concurrency), RUN_MEMORY_MB: '0', LOG_LEVEL: 'debug' },
  ANTHROPIC_API_KEY: apiKey,
  CLAUDE_BIN: join(projectDir, 'test/support/quick-claude.sh'),
  NODE_COMPILE_CACHE: compileCache.path,
};

type Kill = {
  name: CheckpointName;
  passes: readonly number[];
  SANDBOX?: string;
  PREPARED_RUNS?: string;
  /** Where the one that takes over is killed as well. */
  failAgainAt?: string;
};

/** Each pass on the directory that the one before left; the last to take over is the gateway as operators start it. */
async function faultsOfKill(kill: Kill): Promise<string[]> {
  const { name, passes, SANDBOX = 'none', PREPARED_RUNS = '0', failAgainAt } = kill;
  const env = { ...environment, SANDBOX, PREPARED_RUNS };
  await using log = await startExecutionLog();
  await using opened = new AsyncDisposableStack();
  const start = async (options: GatewayProcessOptions): Promise<GatewayProcess> =>
    opened.use(await startGatewayProcess({ env, ...options }));
  let gateway = await start({ entry });
  const { dataDir } = gateway;
  const apps = await mintLoadApps(gateway);
  const secrets = {
    ...{ 'the API key': apiKey, 'the admin token': testAdminToken },
    'the token of an app': apps.one.token,
  };
  const told: string[] = [];
  const faults: string[] = [];
  for (const pass of passes) {
    await gateway.fetch(`/fail-at/${name}/${pass}`, { method: 'PUT' });
    const load = { directive: log.line, label: `${name}-${pass}` };
    let crash = await crashUnderLoad(gateway, apps, load);
    told.push(...crash.told);
    if (failAgainAt !== undefined) {
      const failing = { dataDir, entry, env: { ...env, FAIL_AT: failAgainAt } };
      crash = { ...crash, runs: (await startAndDie(failing)).runs };
    }
    gateway = await start({ dataDir, ...(pass === passes.at(-1) ? {} : { entry }) });
    const found = await faultsAfter(gateway, { apps, log, concurrency, secrets, told }, crash);
    faults.push(...found.map((fault) => `${name}, pass ${pass}: ${fault}`));
  }
  gateway.child.kill('SIGTERM');
  const [code] = await gateway.exited;
  const left = readdirSync(join(dataDir, 'runs')).filter((each) => !each.startsWith('.'));
  faults.push(...left.map((each) => `${each} is left after an ordinary stop`));
  return code === 0 ? faults : [...faults, `the gateway exited with ${code}`];
}

/** It is killed before it listens, or soon after by the runs that wait in its queue. Gives the rows it leaves. */
async function startAndDie(options: GatewayProcessOptions & { dataDir: string }) {
  const started = await startGatewayProcess({ ...options, keep: true }).catch(() => null);
  await using gateway = started;
  await gateway?.exited;
  return readRows(options.dataDir);
}

const names = [
  ...(['audit_begun', 'accepted', 'spawned', 'pid_stored'] as const),
  ...(['first_event', 'result_seen', 'exit_seen', 'finalised'] as const),
];

describe.concurrent('a gateway that is killed under load', () => {
  test.each(names)(
    'at its first, second and third %s leaves nothing lost, doubled or stuck',
    async (name) => {
      expect(await faultsOfKill({ name, passes: [1, 2, 3] })).toEqual([]);
    },
  );

  test.each(['pid_stored', 'result_seen'] as const)(
    'at %s, with its runs in a sandbox, leaves nothing lost, doubled or stuck',
    async (name) => {
      expect(await faultsOfKill({ name, passes: [2], SANDBOX: 'require' })).toEqual([]);
    },
  );

  test('with processes prepared for runs leaves nothing lost, doubled or stuck', async () => {
    const kill = { name: 'first_event', passes: [1, 2], PREPARED_RUNS: '2' } as const;
    expect(await faultsOfKill(kill)).toEqual([]);
  });

  test.each(['finalised:1', 'spawned:1'])(
    'and once more, at %s, while the next one takes over, leaves nothing lost, doubled or stuck',
    async (failAgainAt) => {
      const kill = { name: 'first_event', passes: [2], failAgainAt } as const;
      expect(await faultsOfKill(kill)).toEqual([]);
    },
  );
});
