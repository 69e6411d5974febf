// kill -9 of the gateway, and who else may be on the same host, directory or port.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { expectNothingLeft, isAlive, processesOfRuns, readRuns } from '../support/leak-check.ts';
import { untilHeld, waitForGo } from '../support/run-latch.ts';

function sleepWith(env: Record<string, string>): ChildProcess {
  return spawn('sleep', ['300'], { env, stdio: 'ignore' });
}

/** Processes of a run without a sandbox outlive the gateway; those in one die with it. */
const stubborn = `@@ignore-term\n@@ignore-interrupt\n@@setsid 300000\n${waitForGo}`;

async function killMidRun(gateway: GatewayProcess): Promise<string[]> {
  const token = await gateway.mint('app');
  const answers = [1, 2].map(() => gateway.run(token, { prompt: stubborn }));
  const outcomes = Promise.allSettled(answers);
  const runIds = await untilHeld(join(gateway.dataDir, 'runs'), 2);
  gateway.child.kill('SIGKILL');
  await gateway.exited;
  await outcomes;
  return runIds;
}

test('kill -9 of the gateway takes sandboxed runs along, without a next start', async () => {
  const env = { SANDBOX: 'require', GATEWAY_CONCURRENCY: '2' };
  await using killed = await startGatewayProcess({ env });
  const runIds = new Set(await killMidRun(killed));
  await expect.poll(() => processesOfRuns(runIds), { timeout: 10_000 }).toEqual([]);
});

describe.each(['none', 'require'])(
  'with SANDBOX=%s, after kill -9 in the middle of runs',
  (SANDBOX) => {
    test('the next start ends their processes, removes their directories, closes their rows', async () => {
      const env = { SANDBOX, GATEWAY_CONCURRENCY: '2' };
      await using killed = await startGatewayProcess({ env, keep: true });
      const runIds = new Set(await killMidRun(killed));
      expect(readRuns(killed.dataDir).map((run) => run.state)).toEqual(['running', 'running']);

      await using gateway = await startGatewayProcess({ env, dataDir: killed.dataDir });
      expect(processesOfRuns(runIds)).toEqual([]);
      await expectNothingLeft(gateway.dataDir);
      const rows = await gateway.audit('?action=run');
      expect(rows.map((row) => [row.outcome, row.app, row.details.survivors])).toEqual([
        ['interrupted', 'app', 0],
        ['interrupted', 'app', 0],
      ]);
      expect(rows.map((row) => row.run_id).every((id) => runIds.has(id))).toBe(true);
      expect(rows[0]).toMatchObject({ prompt: stubborn, details: { model: 'sonnet' } });
      expect(gateway.stdout()).toContain('runs were cut off by the last stop');
      const token = await gateway.mint('another-app');
      expect((await gateway.run(token, { prompt: 'hello' })).body.result).toBe('hello');
    });
  },
);

test('only processes that carry the id of one of our open runs are ended at the start', async () => {
  await using killed = await startGatewayProcess({ keep: true });
  const runIds = await killMidRun(killed);
  // What a recycled pid would be: a process of the same user that is none of our runs.
  const strangers = [
    sleepWith({}),
    sleepWith({ GATEHOUSE_RUN: 'run_of_another_gateway' }),
    sleepWith({ GATEHOUSE_RUNS: runIds[0] ?? '' }),
  ];
  try {
    await using gateway = await startGatewayProcess({ dataDir: killed.dataDir });
    expect(processesOfRuns(new Set(runIds))).toEqual([]);
    expect(strangers.map(({ pid }) => isAlive(pid ?? 0))).toEqual([true, true, true]);
    await expectNothingLeft(gateway.dataDir);
  } finally {
    for (const stranger of strangers) {
      stranger.kill('SIGKILL');
      await once(stranger, 'exit');
    }
  }
});

describe('a second gateway', () => {
  test('on the same data directory refuses to start and disturbs no run of the first', async () => {
    await using first = await startGatewayProcess();
    const token = await first.mint('app');
    const answer = first.run(token, { prompt: `${waitForGo}\nundisturbed` });
    const [runId = ''] = await untilHeld(join(first.dataDir, 'runs'), 1);
    const second = startGatewayProcess({ dataDir: first.dataDir, keep: true });
    await expect(second).rejects.toThrow(first.dataDir);
    writeFileSync(join(first.dataDir, 'runs', runId, 'work', 'go'), '');
    expect((await answer).body.result).toBe('undisturbed');
  });

  test('on the same port refuses to start and leaves the first alone', async () => {
    await using first = await startGatewayProcess();
    const GATEWAY_PORT = new URL(first.url).port;
    await expect(startGatewayProcess({ env: { GATEWAY_PORT } })).rejects.toThrow(
      `port ${GATEWAY_PORT}: something else listens there already`,
    );
    expect((await first.fetch('/livez')).status).toBe(200);
  });

  test('with its own data directory runs beside the first', async () => {
    await using first = await startGatewayProcess();
    await using second = await startGatewayProcess();
    for (const gateway of [first, second]) {
      const token = await gateway.mint('app');
      expect((await gateway.run(token, { prompt: 'hello' })).status).toBe(200);
    }
  });
});
