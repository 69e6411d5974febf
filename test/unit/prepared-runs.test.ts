import { describe, expect, test } from 'vitest';

import { plainProfile } from '../../gateway/claude/claude-arguments.ts';
import type { ClaudeExit } from '../../gateway/claude/claude-process.ts';
import { createPreparedRuns } from '../../gateway/runs/prepared-runs.ts';
import type { PreparedRunsParts, TakeResult } from '../../gateway/runs/prepared-runs.ts';
import type { RunSeat } from '../../gateway/runs/run-seat.ts';
import { createCapturedLog } from '../support/captured-log.ts';
import { createManualClock } from '../support/manual-clock.ts';

type FakeSeat = { seat: RunSeat; name: string; exit: (code: number) => void };

function installationOf(path: string) {
  return { program: { path, isScript: false }, version: '1 (Claude Code)' };
}

function createWorld(given: Partial<PreparedRunsParts> = {}) {
  const clock = createManualClock();
  const captured = createCapturedLog();
  const machine = {
    ...{ running: 0, waiting: 0, lastTurnAt: 0, room: true, isShort: false, mayStart: true },
    ...{ installation: installationOf('/claude'), login: 'first' as string | null },
    ...{ fails: null as Error | null, notes: [] as string[] },
  };
  const started: FakeSeat[] = [];
  const cleared: string[] = [];
  const taken: TakeResult[] = [];

  const startSeat: PreparedRunsParts['startSeat'] = ({ marker, root, installation, profile }) => {
    if (machine.fails !== null) throw machine.fails;
    const { promise: exited, resolve } = Promise.withResolvers<ClaudeExit>();
    const nothing = { survivors: 0, outOfMemory: false, startFailure: null, cutOff: false };
    const exit = (code: number): void =>
      resolve({ ...nothing, code, signal: null, stdoutBytes: 0, stderrTail: 'last words' });
    const claude = { pid: 1, exited } as unknown as RunSeat['claude'];
    const directory = { root, work: '', home: '', tmp: '' };
    const seat = { directory, claude, installation, profile, startedAt: clock.monotonicMs() };
    started.push({ seat, name: marker, exit });
    return seat;
  };
  const pool = createPreparedRuns({
    ...{ size: 2, idleMs: 240_000, concurrency: 2, runsDir: '/runs', startSeat, clock },
    claude: { current: () => Promise.resolve(machine.installation) },
    login: { forPreparing: () => Promise.resolve(machine.login) },
    clearSeat: ({ directory }) => Promise.resolve(void cleared.push(directory.root)),
    queue: {
      counts: () => ({
        ...{ running: machine.running, waiting: machine.waiting, oldestWaitingMs: null },
        ...{ idleMs: clock.monotonicMs() - machine.lastTurnAt, waitingByApp: new Map() },
      }),
    },
    room: {
      hasRoomToPrepare: () => machine.room,
      isMemoryShort: () => machine.isShort,
      noteStart: () => void machine.notes.push('start'),
      noteReady: () => void machine.notes.push('ready'),
    },
    mayRunsStart: () => machine.mayStart,
    onTake: (result) => void taken.push(result),
    newId: (prefix) => `${prefix}_${started.length + 1}`,
    log: captured.log,
    ...given,
  });
  const stop = new AbortController();
  const running = pool.run(stop.signal);
  const wanted = () => ({
    ...{ profile: plainProfile, installation: machine.installation },
    login: machine.login ?? '',
  });
  return {
    ...{ pool, clock, machine, started, cleared, taken, warnings: captured.lines },
    take: (more: object = {}) => pool.take({ ...wanted(), ...more }),
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

describe('processes for runs are prepared', () => {
  test('one after the other, until there are enough', async () => {
    await using world = createWorld();
    await world.clock.advance(0);
    expect(world.pool.idleCount()).toBe(1);
    await world.clock.advance(400);
    expect(world.pool.idleCount()).toBe(1);
    await world.clock.advance(600);
    expect(world.pool.idleCount()).toBe(2);
    await world.clock.advance(60_000);
    expect(world.started).toHaveLength(2);
  });

  test('in a directory of their own name, which is noted as a start', async () => {
    await using world = createWorld({ size: 1 });
    await world.clock.advance(0);
    expect(world.started[0]?.seat.directory.root).toBe('/runs/prepared_1');
    expect(world.machine.notes).toEqual(['start']);
  });

  test.each([
    ['somebody waits', { waiting: 1 }],
    ['all places are taken', { running: 2 }],
    ['a run has just begun', { running: 1, lastTurnAt: 100_000 }],
    ['the machine has no room for a run beside it', { room: false }],
    ['the login is near its expiry', { login: null }],
    ['no run would be started', { mayStart: false }],
  ])('not while %s', async (_name, state) => {
    await using world = createWorld({ size: 1 });
    Object.assign(world.machine, { room: false });
    await world.clock.advance(0);
    Object.assign(world.machine, { room: true, ...state });
    await world.clock.advance(100_500);
    expect(world.started).toHaveLength(0);
  });

  test('beside a run that has begun a while ago', async () => {
    await using world = createWorld({ size: 1 });
    world.machine.running = 1;
    await world.clock.advance(900);
    expect(world.started).toHaveLength(0);
    await world.clock.advance(500);
    expect(world.started).toHaveLength(1);
  });

  test('as soon as a run is over, when it is told so', async () => {
    await using world = createWorld({ size: 1 });
    await world.clock.advance(0);
    await world.take();
    await world.clock.advance(0);
    world.pool.wake();
    await world.clock.advance(0);
    expect(world.started).toHaveLength(2);
  });

  test('never, with a size of 0', async () => {
    await using world = createWorld({ size: 0 });
    await world.clock.advance(10_000);
    expect(await world.take()).toBeNull();
    expect([world.started.length, world.taken]).toEqual([0, ['off']]);
  });
});

describe('a run', () => {
  test('gets the oldest, and nobody gets it again', async () => {
    await using world = createWorld();
    await world.clock.advance(1000);
    const [first, second] = world.started;
    expect(await world.take()).toBe(first?.seat);
    expect(await world.take()).toBe(second?.seat);
    expect(await world.take()).toBeNull();
    expect(world.taken).toEqual(['hit', 'hit', 'empty']);
    expect(world.machine.notes).toEqual(['start', 'start', 'ready', 'ready']);
    expect(world.cleared).toEqual([]);
  });

  test('with limits of its own gets none', async () => {
    await using world = createWorld();
    await world.clock.advance(1000);
    const profile = { ...plainProfile, maxTurns: 3 };
    expect(await world.take({ profile })).toBeNull();
    expect(world.taken).toEqual(['other_profile']);
    expect(world.pool.idleCount()).toBe(2);
  });

  test('with limits of its own gets the memory of those that wait, when there is no other', async () => {
    await using world = createWorld();
    await world.clock.advance(1000);
    Object.assign(world.machine, { isShort: true, waiting: 1 });
    expect(await world.take({ profile: { ...plainProfile, maxTurns: 3 } })).toBeNull();
    expect(world.cleared).toEqual(['/runs/prepared_1', '/runs/prepared_2']);
  });

  test('gets none of another claude, or of another login: they are cleared away', async () => {
    await using world = createWorld({ size: 1 });
    await world.clock.advance(1000);
    world.machine.installation = installationOf('/claude');
    expect(await world.take()).toBeNull();
    await world.clock.advance(1000);
    world.machine.login = 'second';
    expect(await world.take()).toBeNull();
    expect(world.cleared).toEqual(['/runs/prepared_1', '/runs/prepared_2']);
    await world.clock.advance(1000);
    expect(await world.take()).toBe(world.started[2]?.seat);
  });
});

describe('a prepared process', () => {
  test('that ends by itself is cleared away, and the next tries are further and further apart', async () => {
    await using world = createWorld({ size: 1 });
    const startedAt: number[] = [];
    for (let tries = 0; tries < 5; tries += 1) {
      const before = world.started.length;
      while (world.started.length === before) await world.clock.advance(250);
      startedAt.push(world.clock.monotonicMs());
      world.started.at(-1)?.exit(3);
      await world.clock.advance(0);
      expect(world.pool.idleCount()).toBe(0);
    }
    const pauses = startedAt.slice(1).map((at, index) => at - (startedAt[index] ?? 0));
    for (const [index, pause] of pauses.entries()) {
      expect(pause).toBeGreaterThanOrEqual(1000 * 2 ** index);
      expect(pause).toBeLessThanOrEqual(1000 * 2 ** index + 500);
    }
    expect(world.cleared).toHaveLength(5);
    expect(world.warnings()).toMatchObject([
      { exit_code: 3, signal: null, stderr_tail: 'last words', next_try_ms: 1000 },
    ]);
  });

  test('that cannot be started is tried again later', async () => {
    await using world = createWorld({ size: 1 });
    world.machine.fails = new Error('no space');
    await world.clock.advance(3500);
    expect(world.warnings()).toHaveLength(1);
    world.machine.fails = null;
    await world.clock.advance(10_000);
    expect(world.pool.idleCount()).toBe(1);
  });

  test('gives way to a fresh one when it has waited too long', async () => {
    await using world = createWorld({ size: 1 });
    await world.clock.advance(239_000);
    expect(world.cleared).toEqual([]);
    await world.clock.advance(3000);
    expect(world.cleared).toEqual(['/runs/prepared_1']);
    expect(await world.take()).toBe(world.started[1]?.seat);
  });

  test('goes when memory is short and nobody waits for it', async () => {
    await using world = createWorld({ size: 1 });
    await world.clock.advance(1000);
    Object.assign(world.machine, { isShort: true, room: false, waiting: 1 });
    await world.clock.advance(2000);
    expect(world.pool.idleCount()).toBe(1);
    world.machine.waiting = 0;
    await world.clock.advance(2000);
    expect(world.pool.idleCount()).toBe(0);
    expect(world.cleared).toHaveLength(1);
  });

  test('is gone when the pool has been closed, and none comes after it', async () => {
    await using world = createWorld();
    await world.clock.advance(1000);
    await world.pool.close();
    expect(world.cleared).toHaveLength(2);
    await world.clock.advance(10_000);
    expect(world.started).toHaveLength(2);
    expect(await world.take()).toBeNull();
  });
});
