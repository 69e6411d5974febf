// Readers, commits, announcements and failures at random, with reads that take their time: nobody misses an event or gets one twice.
import { expect, test } from 'vitest';

import { createEventFeed } from '#shared/event-feed.ts';
import type { FeedEvent } from '#shared/event-feed.ts';

import { createFakeEventStream } from '../support/fake-event-stream.ts';
import type { FakeEventStream } from '../support/fake-event-stream.ts';
import { createManualClock } from '../support/manual-clock.ts';

/** A number below `limit`, the same ones for the same seed (mulberry32). */
function createChance(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

type Reader = { after: number; streams: FakeEventStream[]; hasLeft: boolean };

const topics = ['one', 'other'];
const pageMax = 3;
/** Each byte counts for so many, so that a few events are too much for a reader that stops reading. */
const weight = 4000;

function createWorld(seed: number) {
  const chance = createChance(seed);
  const clock = createManualClock();
  const stores = new Map<string, FeedEvent[]>(topics.map((topic) => [topic, []]));
  const eventsOf = (topic: string): FeedEvent[] => stores.get(topic) ?? [];
  const world = { isAway: false };
  const feed = createEventFeed({
    async read(topic: string, after) {
      await clock.sleep(chance(4));
      if (world.isAway) throw new Error('the database is away');
      const page = eventsOf(topic).filter(({ seq }) => seq > after);
      await clock.sleep(chance(4));
      return page.slice(0, pageMax);
    },
    isLast: () => false,
    onDropped: () => {},
    onFailure: () => {},
    clock,
  });
  const readers: (Reader & { topic: string })[] = [];
  const numbersOf = ({ streams }: Reader): number[] =>
    streams.flatMap(({ got }) => got.filter((each) => typeof each === 'number'));
  const connect = (reader: Reader & { topic: string }): void => {
    const stream = createFakeEventStream();
    const after = numbersOf(reader).at(-1) ?? reader.after;
    reader.streams.push(stream);
    const heavy = { ...stream, queuedBytes: () => stream.queuedBytes() * weight };
    feed.open({
      topic: reader.topic,
      after,
      stream: heavy,
      mayRead: () => true,
      endsWhenStopping: false,
    });
  };
  const anyTopic = (): string => topics[chance(topics.length)] ?? 'one';
  const announceLater = async (topic: string): Promise<void> => {
    await clock.sleep(chance(6));
    feed.announce(topic);
  };
  const commit = (): void => {
    const topic = anyTopic();
    const events = eventsOf(topic);
    for (let left = 1 + chance(4); left > 0; left -= 1) {
      events.push({ seq: events.length + 1, type: 'some', data: '{}' });
    }
    void announceLater(topic);
  };
  const join = (): void => {
    const topic = anyTopic();
    const after = chance(eventsOf(topic).length + 1);
    const reader = { topic, after, streams: [], hasLeft: false };
    readers.push(reader);
    connect(reader);
  };
  const disturb = (): void => {
    const reader = readers[chance(readers.length + 1)];
    const stream = reader?.streams.at(-1);
    if (reader === undefined || stream === undefined) return;
    const what = chance(8);
    if (what === 0) reader.hasLeft = true;
    if (what <= 1) stream.leave();
    else if (what <= 4) stream.stall();
    else stream.letGo();
  };
  /** Whose connection was lost comes back with the number it has. */
  const comeBack = (): void => {
    for (const reader of readers) {
      const isClosed = reader.streams.at(-1)?.closed.aborted === true;
      if (isClosed && !reader.hasLeft) connect(reader);
    }
  };
  const step = (): void => {
    const what = chance(100);
    if (what < 45) commit();
    else if (what < 65) join();
    else if (what < 85) disturb();
    else if (what < 95) comeBack();
    else world.isAway = !world.isAway;
  };
  const calmDown = async (): Promise<void> => {
    world.isAway = false;
    for (let second = 0; second < 3; second += 1) {
      for (const { streams } of readers) streams.at(-1)?.letGo();
      comeBack();
      await clock.advance(1000);
    }
  };
  return { ...{ chance, clock, feed, readers, eventsOf, numbersOf, step, calmDown } };
}

test.each(Array.from({ length: 25 }, (_, seed) => seed))(
  'every reader gets every event once and in order, course %i',
  async (seed) => {
    const world = createWorld(seed);
    const stop = new AbortController();
    const running = world.feed.run(stop.signal);
    for (let count = 0; count < 150; count += 1) {
      world.step();
      await world.clock.advance(world.chance(4));
    }
    await world.calmDown();
    expect(world.readers.length).toBeGreaterThan(5);
    for (const reader of world.readers) {
      const got = world.numbersOf(reader);
      const count = reader.hasLeft
        ? got.length
        : world.eventsOf(reader.topic).length - reader.after;
      expect(got).toEqual(Array.from({ length: count }, (_, index) => reader.after + 1 + index));
    }
    stop.abort();
    await running;
  },
);
