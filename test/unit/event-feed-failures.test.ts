// A store that cannot be read for a while, and events that nobody announces.
import { describe, expect, test } from 'vitest';

import { createHeldFeed } from '../support/held-event-feed.ts';

describe('a read that fails', () => {
  test('leaves live readers without a gap: the next announcement reads again', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.commit();
    world.announce();
    (await world.nextRead()).fail();
    await world.settle();
    world.commit();
    world.announce();
    await world.answerAll();
    expect({ got: live.got, how: live.how() }).toEqual({ got: [1, 2], how: 'open' });
  });

  test('is repeated each second, and told once until the store is back', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.commit();
    world.announce();
    for (let second = 0; second < 5; second += 1) {
      (await world.nextRead()).fail();
      await world.clock.advance(1000);
    }
    expect([live.got, world.failures.length]).toEqual([[], 1]);
    await world.answerAll();
    expect(live.got).toEqual([1]);
    world.announce();
    (await world.nextRead()).fail();
    await world.settle();
    expect(world.failures.length).toBe(2);
  });

  test('lets a reader go that is on its way, with what it has until then', async () => {
    await using world = createHeldFeed();
    world.commit(15);
    const live = await world.openLive();
    const late = world.open();
    (await world.nextRead()).answer();
    (await world.nextRead()).fail();
    await world.settle();
    expect([late.got.length, late.how(), live.how()]).toEqual([10, 'destroyed', 'open']);
    expect([world.failures.length, world.feed.count()]).toEqual([1, 1]);
  });

  test('is not repeated when nobody is live any more', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.announce();
    const read = await world.nextRead();
    live.leave();
    read.fail();
    await world.clock.advance(3000);
    expect([world.reads, world.failures]).toEqual([[], []]);
  });
});

describe('events that nobody announces', () => {
  test('are found where the store is looked at again', async () => {
    await using world = createHeldFeed(5000);
    const live = await world.openLive();
    world.commit();
    await world.clock.advance(4000);
    expect(world.reads).toEqual([]);
    await world.clock.advance(2000);
    await world.answerAll();
    expect(live.got).toEqual([1]);
  });

  test('are not looked for where the store was read a moment ago', async () => {
    await using world = createHeldFeed(5000);
    await world.openLive();
    await world.clock.advance(4000);
    world.announce();
    await world.answerAll();
    await world.clock.advance(4000);
    expect(world.reads).toEqual([]);
  });

  test('wait for the next announcement where it is not', async () => {
    await using world = createHeldFeed();
    const live = await world.openLive();
    world.commit();
    await world.clock.advance(60_000);
    expect(world.reads).toEqual([]);
    world.announce();
    await world.answerAll();
    expect(live.got.filter((each) => each !== ':')).toEqual([1]);
  });
});
