// kill -9 of a gateway that has processes prepared: none of them is left, without a next start, and the next start finds the rest.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess, GatewayProcessOptions } from '../support/gateway-process.ts';
import { withMaskedProc } from '../support/hostile-gateway.ts';
import { isAlive, processesOfRuns } from '../support/leak-check.ts';
import { readMetrics } from '../support/metric-samples.ts';
import { untilHeld, waitForGo } from '../support/run-latch.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';

const grounds: [name: string, options: GatewayProcessOptions][] = [
  ['no sandbox', { env: { SANDBOX: 'none' } }],
  ['bubblewrap', { env: { SANDBOX: 'require' } }],
  [
    'bubblewrap and the /proc of the host',
    { env: { SANDBOX: 'require' }, launcher: withMaskedProc },
  ],
];

const deafToItsInput = `exec /usr/bin/sleep 300`;

function preparedIn(dataDir: string): string[] {
  return readdirSync(join(dataDir, 'runs')).filter((name) => name.startsWith('prepared_'));
}

async function untilPrepared(gateway: GatewayProcess, count: number): Promise<void> {
  const idle = async () => (await readMetrics(gateway)).value('gatehouse_prepared_runs');
  await expect.poll(idle, { timeout: 20_000 }).toBe(count);
}

async function kill(gateway: GatewayProcess): Promise<void> {
  gateway.child.kill('SIGKILL');
  await gateway.exited;
}

describe.each(grounds)('with %s', (_name, { env, launcher = [] }) => {
  const start = (more: GatewayProcessOptions = {}) =>
    startGatewayProcess({
      ...{ launcher, keep: true, ...more },
      env: { ...env, PREPARED_RUNS: '2', GATEWAY_CONCURRENCY: '2', ...more.env },
    });

  test('kill -9 of the gateway leaves no process within five seconds, and the next start no directory', async () => {
    await using killed = await start();
    const token = await killed.mint('app');
    await untilPrepared(killed, 2);
    const running = killed.run(token, { prompt: waitForGo }).catch(() => null);
    await untilHeld(join(killed.dataDir, 'runs'), 1);
    const names = new Set(preparedIn(killed.dataDir));
    expect(names.size).toBeGreaterThanOrEqual(2);
    const pids = processesOfRuns(names);
    expect(pids.length).toBeGreaterThanOrEqual(2);
    await kill(killed);
    await running;
    await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
    expect(processesOfRuns(names)).toEqual([]);

    await using gateway = await start({ dataDir: killed.dataDir, keep: false });
    const left = () => preparedIn(gateway.dataDir).filter((name) => names.has(name));
    expect(left()).toEqual([]);
  });

  test('a claude that does not mind the end of its input goes as well', async () => {
    using programs = createProgramDirectory();
    const CLAUDE_BIN = programs.script('deaf', deafToItsInput);
    await using killed = await start({ env: { CLAUDE_BIN }, keep: false });
    await untilPrepared(killed, 1);
    const pids = processesOfRuns(new Set(preparedIn(killed.dataDir)));
    expect(pids.length).toBeGreaterThan(0);
    await kill(killed);
    await expect.poll(() => pids.filter(isAlive), { timeout: 5000 }).toEqual([]);
  });
});

test.each(['none', 'require'])(
  'with SANDBOX=%s a gateway that is told to stop leaves nothing prepared',
  async (SANDBOX) => {
    await using gateway = await startGatewayProcess({ env: { SANDBOX, PREPARED_RUNS: '2' } });
    await untilPrepared(gateway, 2);
    const names = new Set(preparedIn(gateway.dataDir));
    gateway.child.kill('SIGTERM');
    expect(await gateway.exited).toEqual([0, null]);
    expect(preparedIn(gateway.dataDir)).toEqual([]);
    expect(processesOfRuns(names)).toEqual([]);
  },
);
