// Runs in processes that were started before anybody asked for them: found, used once, replaced, and without a trace of anybody.
import { describe, expect, test } from 'vitest';

import { processesOfRuns } from '../support/leak-check.ts';
import { startPreparedGateway } from '../support/prepared-gateway.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';

const megabyte = 2 ** 20;

describe.each(['none', 'require'])('with SANDBOX=%s, a prepared process', (SANDBOX) => {
  test('does one run and no other', async () => {
    await using gateway = await startPreparedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const markers: unknown[] = [];
    for (let runs = 0; runs < 3; runs += 1) {
      const [name] = await gateway.untilPrepared(1);
      const { body } = await gateway.run(token, { prompt: '@@report' });
      expect(body.result.env.GATEHOUSE_RUN).toBe(name);
      expect(body.run_id).toMatch(/^run_/);
      markers.push(name);
    }
    expect(new Set(markers).size).toBe(3);
    expect(await gateway.taken()).toEqual({ hit: 3, off: 0, empty: 0, other_profile: 0 });
    const rows = await gateway.audit('?action=run');
    expect(rows.map(({ details }) => details.prepared)).toEqual([true, true, true]);
    expect(gateway.logged().filter(({ prepared }) => prepared === true)).toHaveLength(3);
  });

  test('shows nothing of the run of another app: no file, no variable, no word', async () => {
    await using gateway = await startPreparedGateway({ env: { SANDBOX } });
    const report = async (name: string, prompt: string, more: object) => {
      const token = await gateway.mint(name);
      await gateway.untilPrepared(1);
      return (await gateway.run(token, { prompt, ...more })).body.result;
    };
    const first = await report('first', '@@fill-disk 1\n@@report', { system: 'the first secret' });
    expect(first.listings).toMatchObject({ cwd: ['filled'], home: ['filled'] });
    const second = await report('second', '@@report', { model: 'opus' });
    expect(second.listings).toEqual({ cwd: [], home: [], tmp: [], login: [] });
    expect(second.told).toMatchObject({ system: [], model: 'opus', jsonSchema: null });
    expect(JSON.stringify(second)).not.toContain('the first secret');
    const { GATEHOUSE_RUN: one, HOME: home1, TMPDIR: tmp1, PWD: pwd1, ...rest } = first.env;
    const { GATEHOUSE_RUN: two, HOME: home2, TMPDIR: tmp2, PWD: pwd2, ...others } = second.env;
    expect(rest).toEqual(others);
    expect(one).not.toBe(two);
    const ofFirst = [home1, tmp1, pwd1].map((each) => each?.replace(one, two));
    expect(ofFirst).toEqual([home2, tmp2, pwd2]);
  });

  test.each([
    ['falls silent after its beginning', '@@init-then-silence', 504],
    [
      'is deaf to interrupt and SIGTERM',
      '@@ignore-term\n@@ignore-interrupt\n@@init\n@@silent',
      504,
    ],
    ['leaves a grandchild that holds its output', '@@setsid 300000\na good answer', 200],
    ['exits without a word', '@@exit 1', 502],
  ])('that %s is ended like any other', async (_name, prompt, status) => {
    const env = { SANDBOX, RUN_IDLE_SECS: '1' };
    await using gateway = await startPreparedGateway({ env });
    const token = await gateway.mint('app');
    const names = await gateway.untilPrepared(1);
    expect((await gateway.run(token, { prompt })).status).toBe(status);
    const [{ details }] = await gateway.audit('?action=run');
    expect(details).toMatchObject({ prepared: true, survivors: 0 });
    expect(processesOfRuns(new Set(names))).toEqual([]);
    await gateway.untilPrepared(1);
    expect((await gateway.run(token, { prompt: 'the next one' })).body.result).toBe('the next one');
  });

  test('that dies while it waits is replaced, and nobody notices', async () => {
    await using gateway = await startPreparedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const names = await gateway.untilPrepared(1);
    const [pid = 0] = processesOfRuns(new Set(names));
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => gateway.runDirectories(), { timeout: 10_000 }).not.toEqual(names);
    expect((await gateway.run(token, { prompt: 'hello' })).body.result).toBe('hello');
    const said = gateway.logged().filter(({ msg }) => msg === 'no run can be prepared');
    expect(said).toHaveLength(1);
    await gateway.untilPrepared(1);
  });
});

test('a claude that was upgraded meanwhile is the one that runs', async () => {
  using programs = createProgramDirectory();
  const CLAUDE_BIN = programs.fakeOfVersion('claude.ts', '1.1.1');
  await using gateway = await startPreparedGateway({ env: { CLAUDE_BIN } });
  const token = await gateway.mint('app');
  await gateway.untilPrepared(1);
  programs.fakeOfVersion('claude.ts', '2.2.2');
  await gateway.run(token, { prompt: 'hello' });
  await gateway.untilPrepared(1);
  await gateway.run(token, { prompt: 'hello' });
  const rows = await gateway.audit('?action=run');
  expect(rows.map(({ details }) => [details.cli_version, details.prepared])).toEqual([
    ['2.2.2 (Claude Code)', true],
    ['2.2.2 (Claude Code)', undefined],
  ]);
});

test('a claude that talks and talks before it is asked is not waited for', async () => {
  using programs = createProgramDirectory();
  const CLAUDE_BIN = programs.script('talker', 'head -c 3000000 /dev/zero; exec sleep 300');
  const env = { CLAUDE_BIN, RUN_OUTPUT_LIMIT_MB: '1' };
  await using gateway = await startPreparedGateway({ env });
  const token = await gateway.mint('app');
  await gateway.untilPrepared(1);
  const answer = await gateway.run(token, { prompt: 'hello' });
  expect(answer).toMatchObject({ status: 502, body: { error: { code: 'output_too_large' } } });
});

test('a run with limits of its own starts a process of its own', async () => {
  await using gateway = await startPreparedGateway();
  const token = await gateway.mint('app');
  const names = await gateway.untilPrepared(1);
  const { body } = await gateway.run(token, { prompt: '@@report', max_turns: 3 });
  expect(body.result.env.GATEHOUSE_RUN).toBe(body.run_id);
  expect(await gateway.untilPrepared(1)).toEqual(names);
  expect(await gateway.taken()).toMatchObject({ hit: 0, other_profile: 1 });
});

test('PREPARED_RUNS=0 starts nothing ahead', async () => {
  await using gateway = await startPreparedGateway({ env: { PREPARED_RUNS: '0' } });
  const token = await gateway.mint('app');
  expect((await gateway.run(token, { prompt: 'hello' })).status).toBe(200);
  expect(await gateway.taken()).toEqual({ hit: 0, off: 1, empty: 0, other_profile: 0 });
  expect(await gateway.runDirectories()).toEqual([]);
});

test('with little memory free a run is done in the process that is there; then runs wait', async () => {
  const machine = { free: 1000 * megabyte };
  await using gateway = await startPreparedGateway({
    env: { RUN_MEMORY_MB: '200' },
    freeMemoryBytes: () => machine.free,
  });
  const token = await gateway.mint('app');
  await gateway.untilPrepared(1);
  // Room for no process beside it, and not so little that it has to go.
  machine.free = 250 * megabyte;
  const first = gateway.run(token, { prompt: waitForGo });
  const [held] = await untilHeld(gateway.runsDir, 1);
  expect(held).toMatch(/^prepared_/);
  // Not even room for one, however long ago the last process started.
  machine.free = 100 * megabyte;
  const second = gateway.run(token, { prompt: waitForGo });
  const waiting = async () => (await gateway.admin('/admin/runs?status=queued')).body.items;
  await expect.poll(waiting).toHaveLength(1);
  machine.free = 1000 * megabyte;
  await untilHeld(gateway.runsDir, 2);
  letGo(gateway.runsDir);
  expect((await first).status).toBe(200);
  expect((await second).status).toBe(200);
});

test('when memory is short and nobody waits, nothing stays prepared', async () => {
  const machine = { free: 1000 * megabyte };
  const freeMemoryBytes = () => machine.free;
  await using gateway = await startPreparedGateway({
    env: { RUN_MEMORY_MB: '200' },
    freeMemoryBytes,
  });
  const names = await gateway.untilPrepared(1);
  machine.free = 100 * megabyte;
  await gateway.untilPrepared(0);
  expect(processesOfRuns(new Set(names))).toEqual([]);
});

test('a gateway that drains clears what is prepared, and runs go on in what they have', async () => {
  await using gateway = await startPreparedGateway({ env: { PREPARED_RUNS: '2' } });
  const token = await gateway.mint('app');
  await gateway.untilPrepared(2);
  const answer = gateway.run(token, { prompt: `${waitForGo}\nto its end` });
  const [held = ''] = await untilHeld(gateway.runsDir, 1);
  const closed = gateway.close();
  await expect.poll(() => gateway.runDirectories(), { timeout: 10_000 }).toEqual([held]);
  letGo(gateway.runsDir);
  expect((await answer).body.result).toBe('to its end');
  await closed;
});
