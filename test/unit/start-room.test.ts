import { tmpdir } from 'node:os';

import { describe, expect, test } from 'vitest';

import { createStartRoom } from '../../gateway/queue/start-room.ts';

const megabyte = 2 ** 20;

function createWorld(needs: { runMemoryBytes?: number; diskReserveBytes?: number } = {}) {
  const machine = { free: (1000 * megabyte) as number | null, ms: 0, prepared: 0 };
  const room = createStartRoom({
    ...{ runMemoryBytes: 200 * megabyte, diskReserveBytes: 0, ...needs },
    paths: [tmpdir(), '/not/there'],
    freeMemoryBytes: () => machine.free,
    preparedRuns: () => machine.prepared,
    monotonicMs: () => machine.ms,
  });
  return { room, machine };
}

describe('room for another run', () => {
  test('is there while its memory is free', () => {
    const { room, machine } = createWorld();
    machine.free = 200 * megabyte;
    expect(room.missing()).toBeNull();
    machine.free -= 1;
    expect(room.missing()).toBe('200 MB of memory free, 200 MB needed');
  });

  test('is kept for runs that have started and have not taken their memory yet', () => {
    const { room, machine } = createWorld();
    machine.free = 500 * megabyte;
    room.noteStart();
    expect(room.missing()).toBeNull();
    room.noteStart();
    expect(room.missing()).toBe('500 MB of memory free, 600 MB needed');
    machine.ms = 2999;
    expect(room.missing()).not.toBeNull();
    machine.ms = 3000;
    expect(room.missing()).toBeNull();
  });

  test('is there for a run that finds its process ready, however little memory is free', () => {
    const { room, machine } = createWorld();
    Object.assign(machine, { free: 10 * megabyte, prepared: 1 });
    expect(room.missing()).toBeNull();
    room.noteStart();
    expect(room.missing()).toBe('10 MB of memory free, 200 MB needed');
    machine.prepared = 0;
    room.noteReady();
    expect(room.missing()).toBe('10 MB of memory free, 200 MB needed');
  });

  test('to prepare is there when the next run would still find its own', () => {
    const { room, machine } = createWorld();
    machine.free = 399 * megabyte;
    expect(room.hasRoomToPrepare()).toBe(false);
    machine.free = 400 * megabyte;
    expect(room.hasRoomToPrepare()).toBe(true);
    room.noteStart();
    expect(room.hasRoomToPrepare()).toBe(false);
  });

  test('is short when less is free than one run takes', () => {
    const { room, machine } = createWorld();
    machine.free = 200 * megabyte;
    room.noteStart();
    expect(room.isMemoryShort()).toBe(false);
    machine.free -= 1;
    expect(room.isMemoryShort()).toBe(true);
    machine.free = null;
    expect(room.isMemoryShort()).toBe(false);
  });

  test('is told for memory and disk apart', () => {
    const { room, machine } = createWorld();
    expect(room.lacks()).toEqual({ memory: false, disk: false });
    machine.free = 0;
    expect(room.lacks()).toEqual({ memory: true, disk: false });
  });

  test('is not looked for where it cannot be told, or is not to be looked for', () => {
    const unknown = createWorld();
    unknown.machine.free = null;
    expect(unknown.room.missing()).toBeNull();
    const unlimited = createWorld({ runMemoryBytes: 0 });
    unlimited.machine.free = 0;
    expect(unlimited.room.missing()).toBeNull();
  });
});
