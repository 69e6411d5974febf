// What happens while a read of the store is awaited.
import { describe, expect, test } from 'vitest';

import { createHeldFeed, topic } from '../support/held-event-feed.ts';

describe('a reader whose read found nothing', () => {
  test('gets what was announced meanwhile, though nobody was live', async () => {
    await using world = createHeldFeed();
    const stream = world.open();
    const read = await world.nextRead();
    world.commit();
    world.announce();
    await world.settle();
    expect(world.reads).toEqual([]);
    read.answer();
    await world.answerAll();
    expect(stream.got).toEqual([1]);
  });

  test('gets what was sent to the live ones meanwhile', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    const late = world.open();
    const read = await world.nextRead();
    world.commit();
    world.announce();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1], []]);
    read.answer();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1], [1]]);
  });

  test('gets what the pump has begun to read', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    const late = world.open();
    const read = await world.nextRead();
    world.commit();
    world.announce();
    const pumped = await world.nextRead();
    read.answer();
    await world.settle();
    pumped.answer();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1], [1]]);
  });

  test('that stands before what the pump has begun to read gets it all', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    const late = world.open();
    const read = await world.nextRead();
    world.commit(2);
    world.announce();
    (await world.nextRead()).answer();
    world.commit(2);
    world.announce();
    const pumped = await world.nextRead();
    expect(pumped.after).toBe(2);
    read.answer();
    await world.settle();
    pumped.answerNow();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  test('gets what the pump has sent before it was announced', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.commit();
    world.announce();
    const pumped = await world.nextRead();
    const late = world.open(1);
    const read = await world.nextRead();
    world.commit();
    pumped.answerNow();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1, 2], []]);
    read.answer();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1, 2], [2]]);
    world.announce();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1, 2], [2]]);
  });
});

describe('an announcement', () => {
  test('during the last read of the pump is not lost', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.announce();
    const read = await world.nextRead();
    world.commit();
    world.announce();
    read.answer();
    await world.answerAll();
    expect(live.got).toEqual([1]);
  });

  test.each(Array.from({ length: 12 }, (_, ticks) => ticks))(
    'is not lost %i microtasks after the last read of the pump',
    async (ticks) => {
      await using world = createHeldFeed();
      const live = await world.openLive();
      world.announce();
      (await world.nextRead()).answer();
      for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
      world.commit();
      world.announce();
      await world.answerAll();
      expect(live.got).toEqual([1]);
    },
  );

  test('during each of its reads does not keep a reader from becoming live', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.commit();
    world.announce();
    const pumped = await world.nextRead();
    const late = world.open();
    const read = await world.nextRead();
    pumped.answer();
    world.announce();
    read.answer();
    await world.settle();
    expect([live.got, late.got]).toEqual([[1], [1]]);
    expect(world.reads.length).toBe(1);
    world.commit();
    world.announce();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });
});

describe('during a read', () => {
  test('a reader that leaves gets nothing more, whether it is on its way or live', async () => {
    await using world = createHeldFeed();
    const [live, other] = [await world.openLive(), await world.openLive()];
    world.commit();
    const late = world.open();
    await world.settle();
    world.announce();
    live.leave();
    late.leave();
    await world.answerAll();
    expect([live.got, late.got, other.got]).toEqual([[], [], [1]]);
    expect(world.feed.count()).toBe(1);
  });

  test('the last reader leaves and another comes, to a topic of its own', async () => {
    await using world = createHeldFeed();
    const gone = await world.openLive();
    world.commit();
    world.announce();
    const read = await world.nextRead();
    gone.leave();
    expect(world.feed.isWatched(topic)).toBe(false);
    const next = world.open();
    read.answer();
    await world.answerAll();
    expect([gone.got, next.got]).toEqual([[], [1]]);
    world.commit();
    world.announce();
    await world.answerAll();
    expect(next.got).toEqual([1, 2]);
  });

  test('a reader that is ended since the service stops is not written to, nor destroyed', async () => {
    await using world = createHeldFeed();
    world.commit();
    const [one, other] = [world.open(), world.open()];
    await world.settle();
    world.feed.startStopping({ type: 'server.shutdown', data: '{}' });
    (await world.nextRead()).answer();
    (await world.nextRead()).fail();
    await world.settle();
    expect([one.how(), other.how()]).toEqual(['ended', 'ended']);
    expect([one.got.length, other.got.length, world.failures]).toEqual([1, 1, []]);
  });

  test('a reader whose end is still on its way is not written to', async () => {
    await using world = createHeldFeed();
    world.commit();
    const stream = world.open(0, { end: () => {} });
    const read = await world.nextRead();
    world.feed.endAll();
    read.answer();
    await world.answerAll();
    expect([stream.got, stream.how()]).toEqual([[], 'open']);
  });

  test('the last event is committed, and ends all', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    const late = world.open();
    const read = await world.nextRead();
    world.commit(1, 'last');
    world.announce();
    await world.answerAll();
    read.answer();
    await world.answerAll();
    expect([live.got, late.got]).toEqual([[1], [1]]);
    expect([live.how(), late.how()]).toEqual(['ended', 'ended']);
    expect(world.feed.isWatched(topic)).toBe(false);
  });
});
