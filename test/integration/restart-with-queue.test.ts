// What the gateway makes of runs that were waiting or under way when it was killed, and of one that kills it again and again.
import { join } from 'node:path';

import { describe, expect, test, vi } from 'vitest';

import { faultsAfter } from '../support/crash-faults.ts';
import { crashUnderLoad } from '../support/crash-under-load.ts';
import { startExecutionLog } from '../support/execution-log.ts';
import { gatherFacts, readRows } from '../support/gateway-facts.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { violationsOf } from '../support/invariants.ts';
import { processesOfRuns } from '../support/leak-check.ts';
import { mintLoadApps } from '../support/mixed-load.ts';
import { untilHeld, waitForGo } from '../support/run-latch.ts';
import { post, submit, untilEnded } from '../support/run-requests.ts';
import { projectDir } from '../support/test-gateway.ts';

// Several gateways start in each of these.
vi.setConfig({ testTimeout: 120_000, expect: { poll: { timeout: 15_000 } } });

const quickClaude = join(projectDir, 'test/support/quick-claude.sh');
const runsDir = ({ dataDir }: GatewayProcess): string => join(dataDir, 'runs');

async function killGateway({ child, exited }: GatewayProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}

function runIdsIn(dataDir: string): Set<string> {
  return new Set(readRows(dataDir).runs.map(({ runId }) => runId));
}

describe.each(['none', 'require'])('with SANDBOX=%s', (SANDBOX) => {
  const env = { SANDBOX, GATEWAY_CONCURRENCY: '2' };

  test('kill -9 in the middle of runs ends them as interrupted, for who polls and for who comes with a key', async () => {
    await using log = await startExecutionLog();
    await using killed = await startGatewayProcess({ env, keep: true });
    const { dataDir } = killed;
    const token = await killed.mint('app');
    const prompt = `@@ignore-term\n@@ignore-interrupt\n${log.line}\n${waitForGo}`;
    const keyed = post(token, { prompt }, { 'idempotency-key': 'k' });
    const cut = killed.fetch('/run', keyed).catch(() => 'cut');
    const { run_id: runId } = (await submit(killed, token, { prompt })).body;
    await untilHeld(runsDir(killed), 2);
    await killGateway(killed);
    expect(await cut).toBe('cut');

    await using gateway = await startGatewayProcess({ env, dataDir });
    expect(processesOfRuns(runIdsIn(dataDir))).toEqual([]);
    const interrupted = { code: 'interrupted', retryable: true, retry_after_secs: 5 };
    const ended = { status: 'ended', outcome: 'interrupted', error: interrupted };
    expect(await untilEnded(gateway, token, runId)).toMatchObject(ended);
    const replayed = await gateway.fetch('/run', keyed);
    expect(replayed).toMatchObject({ status: 503, body: { ok: false, error: interrupted } });
    expect(replayed.headers.get('idempotent-replayed')).toBe('true');
    expect((await gateway.fetch('/run', keyed)).text).toBe(replayed.text);
    const executions = log.executions();
    expect(executions).toHaveLength(2);
    const facts = await gatherFacts({ dataDir, executions, concurrency: 2, told: [runId] });
    expect(violationsOf(facts)).toEqual([]);
  });

  test('the end of the gateway and of all its runs at one moment, as of a container, loses nothing', async () => {
    await using log = await startExecutionLog();
    await using killed = await startGatewayProcess({ env, keep: true });
    const { dataDir, child } = killed;
    const apps = await mintLoadApps(killed);
    const crash = await crashUnderLoad(killed, apps, {
      ...{ directive: `${log.line}\n@@sleep 300`, label: 'container' },
      kill: async () => {
        await expect.poll(() => log.executions().length).toBeGreaterThan(2);
        const pids = processesOfRuns(runIdsIn(dataDir));
        for (const pid of [-(child.pid ?? 0), ...pids]) killIfThere(pid);
      },
    });

    await using gateway = await startGatewayProcess({ env, dataDir });
    const world = { apps, log, concurrency: 2, secrets: {}, told: [] };
    expect(await faultsAfter(gateway, world, crash)).toEqual([]);
  });
});

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went down with the ones before it.
  }
}

test('fifty queued runs are done by the next start, each once and in the order of their app', async () => {
  await using log = await startExecutionLog();
  const env = { GATEWAY_CONCURRENCY: '2', RUN_MEMORY_MB: '0' };
  await using killed = await startGatewayProcess({ env, keep: true });
  const { dataDir } = killed;
  const mintOne = (name: string) => killed.mint(name, { max_concurrent: 1 });
  const tokens = [await mintOne('one'), await mintOne('two')] as const;
  for (const token of tokens) await submit(killed, token, { prompt: waitForGo });
  await untilHeld(runsDir(killed), 2);
  const told: string[][] = [[], []];
  for (let nth = 0; nth < 50; nth += 1) {
    const prompt = `${log.line}\nnumber ${nth}`;
    const app = nth % 2;
    const { status, body } = await submit(killed, tokens[app === 0 ? 0 : 1], { prompt });
    expect(status).toBe(202);
    told[app]?.push(body.run_id);
  }
  await killGateway(killed);

  await using gateway = await startGatewayProcess({
    ...{ env: { ...env, CLAUDE_BIN: quickClaude }, dataDir },
  });
  for (const [app, token] of tokens.entries()) {
    for (const runId of told[app] ?? []) {
      expect(await untilEnded(gateway, token, runId)).toMatchObject({ outcome: 'completed' });
    }
  }
  const executions = log.executions();
  for (const runIds of told) {
    const order = executions.map(({ runId }) => runId).filter((runId) => runIds.includes(runId));
    expect(order).toEqual(runIds);
  }
  // Of an app one at a time.
  const facts = await gatherFacts({ dataDir, executions, concurrency: 1, told: told.flat() });
  expect(violationsOf(facts)).toEqual([]);
});

test('a run that is to be done again when interrupted is started three times and no more', async () => {
  await using log = await startExecutionLog();
  const env = { SHUTDOWN_GRACE_SECS: '0.1' };
  await using opened = new AsyncDisposableStack();
  const start = async (options: object): Promise<GatewayProcess> =>
    opened.use(await startGatewayProcess({ env, ...options }));
  let gateway = await start({});
  const { dataDir } = gateway;
  const token = await gateway.mint('app');
  const prompt = `${log.line}\n${waitForGo}`;
  const submitted = await submit(gateway, token, { prompt, on_interrupt: 'retry' });
  const { run_id: runId } = submitted.body;
  // Interrupted by a stop as well as by a crash.
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    await untilHeld(runsDir(gateway), 1);
    gateway.child.kill(signal);
    await gateway.exited;
    gateway = await start({ dataDir });
  }
  const interrupted = { status: 'ended', outcome: 'interrupted', attempt: 3 };
  expect(await untilEnded(gateway, token, runId)).toMatchObject(interrupted);
  const executions = log.executions();
  expect(executions).toHaveLength(3);
  const facts = await gatherFacts({ dataDir, executions, concurrency: 2, told: [runId] });
  expect(violationsOf(facts)).toEqual([]);
});
