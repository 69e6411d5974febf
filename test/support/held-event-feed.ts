// A feed of events whose reads of the store are answered when a test says so.
import { createEventFeed } from '#shared/event-feed.ts';
import type { FeedEvent } from '#shared/event-feed.ts';
import type { EventStream } from '#shared/event-stream.ts';

import { createFakeEventStream } from './fake-event-stream.ts';
import type { FakeEventStream } from './fake-event-stream.ts';
import { createManualClock } from './manual-clock.ts';

export type HeldRead = {
  after: number;
  /** With what was there when it began. */
  answer: () => void;
  /** With what is there by now. */
  answerNow: () => void;
  fail: () => void;
};

export const topic = 'documents';

export function createHeldFeed(lookAgainMs?: number) {
  const clock = createManualClock();
  const store: FeedEvent[] = [];
  const failures: unknown[] = [];
  const reads: HeldRead[] = [];
  const feed = createEventFeed({
    read(_topic: string, after) {
      const { promise, resolve, reject } = Promise.withResolvers<FeedEvent[]>();
      const page = (): FeedEvent[] => store.filter(({ seq }) => seq > after).slice(0, 10);
      const seen = page();
      reads.push({
        after,
        answer: () => resolve(seen),
        answerNow: () => resolve(page()),
        fail: () => reject(new Error('the database is away')),
      });
      return promise;
    },
    isLast: ({ type }) => type === 'last',
    onDropped: () => {},
    onFailure: (err) => void failures.push(err),
    clock,
    ...(lookAgainMs === undefined ? {} : { lookAgainMs }),
  });
  const stop = new AbortController();
  const running = feed.run(stop.signal);
  const settle = (): Promise<void> => clock.advance(0);
  const nextRead = async (): Promise<HeldRead> => {
    await settle();
    const read = reads.shift();
    if (read === undefined) throw new Error('nothing is read');
    return read;
  };
  const answerAll = async (): Promise<void> => {
    for (await settle(); reads.length > 0; await settle()) reads.shift()?.answer();
  };
  const open = (after = 0, differently: Partial<EventStream> = {}): FakeEventStream => {
    const stream = { ...createFakeEventStream(), ...differently };
    feed.open({ topic, after, stream, mayRead: () => true, endsWhenStopping: true });
    return stream;
  };
  return {
    ...{ clock, feed, failures, reads, settle, nextRead, answerAll, open },
    commit(count = 1, type = 'some') {
      for (let left = count; left > 0; left -= 1)
        store.push({ seq: store.length + 1, type, data: '{}' });
    },
    announce: () => feed.announce(topic),
    async openLive(after = 0): Promise<FakeEventStream> {
      const stream = open(after);
      await answerAll();
      return stream;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}
