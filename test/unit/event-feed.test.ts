import { describe, expect, test } from 'vitest';

import { createEventFeed } from '#shared/event-feed.ts';
import type { EventReader, FeedEvent } from '#shared/event-feed.ts';

import { createFakeEventStream } from '../support/fake-event-stream.ts';
import type { FakeEventStream } from '../support/fake-event-stream.ts';
import { createManualClock } from '../support/manual-clock.ts';

function createWorld() {
  const clock = createManualClock();
  const store: FeedEvent[] = [];
  const dropped: string[] = [];
  const failures: unknown[] = [];
  const world = { reads: 0, mayRead: true, isBroken: false };
  const feed = createEventFeed({
    read(_topic, after) {
      world.reads += 1;
      if (world.isBroken) throw new Error('the database is closed');
      return store.filter(({ seq }) => seq > after).slice(0, 10);
    },
    isLast: ({ type }) => type === 'last',
    onDropped: (_reader, reason) => void dropped.push(reason),
    onFailure: (err) => void failures.push(err),
    clock,
  });
  const stop = new AbortController();
  const running = feed.run(stop.signal);
  return {
    ...{ clock, store, feed, dropped, failures, world },
    add(count: number, type = 'some', data = '{}') {
      for (let left = count; left > 0; left -= 1) store.push({ seq: store.length + 1, type, data });
      feed.announce(1);
    },
    open(after = 0, options: Partial<EventReader> = {}): FakeEventStream {
      const stream = createFakeEventStream();
      const usual = { topic: 1, mayRead: () => world.mayRead, endsWhenStopping: true };
      feed.open({ ...usual, after, stream, ...options });
      return stream;
    },
    settle: () => clock.advance(0),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a reader', () => {
  test('gets what is there after its number, then what comes', async () => {
    await using world = createWorld();
    world.add(25);
    const stream = world.open(3);
    await world.settle();
    expect(stream.got).toEqual(numbers(4, 25));
    world.add(2);
    await world.settle();
    expect(stream.got).toEqual(numbers(4, 27));
  });

  test('that comes while others read gets everything once', async () => {
    await using world = createWorld();
    const streams = [world.open(), world.open()];
    for (let round = 0; round < 20; round += 1) {
      world.add(3);
      if (round % 4 === 0) streams.push(world.open());
      if (round % 3 === 0) await world.settle();
    }
    await world.settle();
    for (const stream of streams) expect(stream.got).toEqual(numbers(1, 60));
  });

  test('is ended by the last event', async () => {
    await using world = createWorld();
    const [live, late] = [world.open(), world.open()];
    await world.settle();
    world.add(1);
    world.add(1, 'last');
    await world.settle();
    expect([live.how(), late.how()]).toEqual(['ended', 'ended']);
    expect(world.feed.count()).toBe(0);
    expect(world.feed.isWatched(1)).toBe(false);
  });

  test('that leaves is forgotten', async () => {
    await using world = createWorld();
    const stream = world.open();
    await world.settle();
    expect(world.feed.isWatched(1)).toBe(true);
    stream.leave();
    expect({ count: world.feed.count(), watched: world.feed.isWatched(1) }).toEqual({
      ...{ count: 0, watched: false },
    });
    world.add(1);
    await world.settle();
    expect(stream.got).toEqual([]);
  });

  test('hears a heartbeat when nothing else was said for ten seconds', async () => {
    await using world = createWorld();
    const stream = world.open();
    await world.clock.advance(9000);
    expect(stream.got).toEqual([]);
    await world.clock.advance(2000);
    expect(stream.got).toEqual([':']);
    await world.clock.advance(60_000);
    expect(stream.got.length).toBeGreaterThanOrEqual(6);
  });

  test('that may not read any more is ended within a second or two', async () => {
    await using world = createWorld();
    const stream = world.open();
    world.world.mayRead = false;
    await world.clock.advance(2000);
    expect({ how: stream.how(), dropped: world.dropped }).toEqual({
      ...{ how: 'destroyed', dropped: ['forbidden'] },
    });
  });

  test('is let go when the store cannot be read', async () => {
    await using world = createWorld();
    world.world.isBroken = true;
    const stream = world.open();
    await world.settle();
    expect({ how: stream.how(), failures: world.failures.length }).toEqual({
      ...{ how: 'destroyed', failures: 1 },
    });
  });
});

describe('a reader that stops reading', () => {
  const big = JSON.stringify('x'.repeat(100_000));

  test('holds up to a quarter of a megabyte and one page, then nothing more, while the others go on', async () => {
    await using world = createWorld();
    const [stalled, healthy] = [world.open(), world.open()];
    await world.settle();
    stalled.stall();
    for (let count = 0; count < 40; count += 1) {
      world.add(1, 'some', big);
      await world.settle();
    }
    expect(healthy.got).toEqual(numbers(1, 40));
    expect(stalled.queuedBytes()).toBeLessThan(2 ** 20);
    stalled.letGo();
    await world.settle();
    expect(stalled.got).toEqual(numbers(1, 40));
    world.add(1);
    await world.settle();
    expect(stalled.got).toEqual(numbers(1, 41));
  });

  test('is dropped after fifteen seconds', async () => {
    await using world = createWorld();
    const stream = world.open();
    await world.settle();
    stream.stall();
    world.add(1, 'some', big);
    await world.clock.advance(14_000);
    expect(stream.how()).toBe('open');
    await world.clock.advance(3000);
    expect({ how: stream.how(), dropped: world.dropped }).toEqual({
      ...{ how: 'destroyed', dropped: ['lagged'] },
    });
    expect(world.feed.count()).toBe(0);
  });

  test('is not dropped while it takes a little now and then', async () => {
    await using world = createWorld();
    const stream = world.open();
    await world.settle();
    for (let round = 0; round < 10; round += 1) {
      stream.stall();
      world.add(1, 'some', big);
      await world.clock.advance(10_000);
      stream.letGo();
      await world.clock.advance(1000);
    }
    expect(stream.how()).toBe('open');
    expect(stream.got.filter((each) => each !== ':')).toEqual(numbers(1, 10));
  });
});

describe('a stop of the service', () => {
  const notice = { type: 'server.shutdown', data: '{}' };
  const told = 'event: server.shutdown\ndata: {}';

  test('is told to every reader; one that can come back is ended, any other gets its last event', async () => {
    await using world = createWorld();
    const leaves = world.open();
    const stays = world.open(0, { endsWhenStopping: false });
    await world.settle();
    world.feed.startStopping(notice);
    expect([leaves.got, stays.got]).toEqual([[told], [told]]);
    expect([leaves.how(), stays.how()]).toEqual(['ended', 'open']);
    world.add(1, 'last');
    await world.settle();
    expect({ got: stays.got, how: stays.how() }).toEqual({ got: [told, 1], how: 'ended' });
  });

  test('is told also to who comes later', async () => {
    await using world = createWorld();
    world.feed.startStopping(notice);
    const stream = world.open();
    expect({ got: stream.got, how: stream.how() }).toEqual({ got: [told], how: 'ended' });
  });

  test('ends whoever is left at its end', async () => {
    await using world = createWorld();
    const stream = world.open(0, { endsWhenStopping: false });
    world.feed.startStopping(notice);
    world.feed.endAll();
    expect(stream.how()).toBe('ended');
  });
});

test('readers at the head share one read of the store', async () => {
  await using world = createWorld();
  const streams = Array.from({ length: 200 }, () => world.open());
  await world.settle();
  world.world.reads = 0;
  world.add(1);
  await expect.poll(() => streams.every(({ got }) => got.length === 1)).toBe(true);
  expect(world.world.reads).toBeLessThan(5);
});
