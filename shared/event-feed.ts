// Live readers of numbered events. The store is read, never memory: what was committed is announced, and each reader is brought from
// where it stands to the newest. Readers at the head of a topic share one read and one buffer.
import { setImmediate as endOfTurn } from 'node:timers/promises';

import type { Clock } from './clock.ts';
import type { EventStream } from './event-stream.ts';

export type FeedEvent = {
  seq: number;
  type: string;
  /** JSON without a line break. */ data: string;
};

export type EventReader = {
  topic: number;
  /** The number of the last event it has. */
  after: number;
  stream: EventStream;
  /** Whether it may still read; asked about once a second. */
  mayRead: () => boolean;
  /** It is ended when the service begins to stop; any other gets its last event first. */
  endsWhenStopping: boolean;
};

export type EventFeed = {
  open: (reader: EventReader) => void;
  /** New events of this topic are committed. */
  announce: (topic: number) => void;
  isWatched: (topic: number) => boolean;
  count: () => number;
  /** Tells every reader that the service is stopping, now and from now on. */
  startStopping: (notice: { type: string; data: string }) => void;
  /** Ends every reader that is left. */
  endAll: () => void;
  /** Heartbeats, and an end for readers that stopped reading or may not read any more. */
  run: (signal: AbortSignal) => Promise<void>;
};

export type EventFeedParts = {
  read: (topic: number, after: number) => FeedEvent[];
  /** Whether a stream ends with this event. */
  isLast: (event: FeedEvent) => boolean;
  onDropped: (reader: EventReader, reason: 'lagged' | 'forbidden') => void;
  onFailure: (err: unknown) => void;
  clock: Clock;
};

/** A stream that has more than this waiting gets nothing further before it has taken it. */
const queuedBytesMax = 256 * 2 ** 10;
const stalledMsMax = 15_000;
const heartbeatMs = 10_000;
const tickMs = 1000;
/** Readers served before others get their turn on the event loop. */
const readersPerTurn = 50;

type Open = EventReader & { isLive: boolean; writtenAt: number; taken: number; progressAt: number };
type Topic = {
  key: number;
  head: number;
  readers: Set<Open>;
  isPumping: boolean;
  isStale: boolean;
};

export function createEventFeed(parts: EventFeedParts): EventFeed {
  const { read, isLast, clock } = parts;
  const topics = new Map<number, Topic>();
  let count = 0;
  let stopping: Buffer | null = null;

  const close = (topic: Topic, reader: Open): void => {
    if (!topic.readers.delete(reader)) return;
    count -= 1;
    if (topic.readers.size === 0) topics.delete(topic.key);
  };
  const endReader = (topic: Topic, reader: Open): void => {
    close(topic, reader);
    reader.stream.end();
  };
  const tellStop = (topic: Topic, reader: Open, notice: Buffer): void => {
    reader.stream.write(notice);
    if (reader.endsWhenStopping) endReader(topic, reader);
  };
  const send = (topic: Topic, reader: Open, events: readonly FeedEvent[], frame: Buffer): void => {
    const last = events.at(-1);
    if (last === undefined || reader.stream.closed.aborted) return;
    reader.stream.write(frame);
    reader.after = last.seq;
    reader.writtenAt = clock.monotonicMs();
    if (isLast(last)) endReader(topic, reader);
  };

  /** Brings one reader to the newest event, at the pace at which it reads; it is live then. */
  const bringToHead = async (topic: Topic, reader: Open): Promise<void> => {
    while (topic.readers.has(reader)) {
      await reader.stream.drained();
      if (!topic.readers.has(reader)) return;
      const events = read(topic.key, reader.after);
      if (events.length === 0) {
        const others = [...topic.readers].some((each) => each.isLive);
        if (!others) topic.head = reader.after;
        reader.isLive = true;
        return;
      }
      send(topic, reader, events, frameOf(events));
    }
  };

  const catchUp = (topic: Topic, reader: Open): void => {
    reader.isLive = false;
    bringToHead(topic, reader).catch((err: unknown) => {
      close(topic, reader);
      parts.onFailure(err);
      reader.stream.destroy();
    });
  };

  const sendNew = async (topic: Topic): Promise<void> => {
    const base = topic.head;
    const events = read(topic.key, base);
    const head = events.at(-1)?.seq;
    if (head === undefined) {
      topic.isStale = false;
      return;
    }
    topic.head = head;
    const frame = frameOf(events);
    let served = 0;
    for (const reader of topic.readers) {
      if (!reader.isLive || reader.after >= head) continue;
      if (reader.stream.queuedBytes() > queuedBytesMax) {
        catchUp(topic, reader);
      } else if (reader.after === base) {
        send(topic, reader, events, frame);
      } else {
        const own = events.filter(({ seq }) => seq > reader.after);
        send(topic, reader, own, frameOf(own));
      }
      served += 1;
      if (served % readersPerTurn === 0) await endOfTurn();
    }
  };
  const pump = async (topic: Topic): Promise<void> => {
    topic.isPumping = true;
    try {
      while (topic.isStale && topic.readers.size > 0) {
        topic.isStale = hasLive(topic);
        if (topic.isStale) await sendNew(topic);
      }
    } finally {
      topic.isPumping = false;
    }
  };

  const attend = (topic: Topic, reader: Open): void => {
    const now = clock.monotonicMs();
    const reason = faultOf(reader, now);
    if (reason !== null) {
      close(topic, reader);
      parts.onDropped(reader, reason);
      reader.stream.destroy();
    } else if (now - reader.writtenAt >= heartbeatMs) {
      reader.writtenAt = now;
      reader.stream.write(heartbeat);
    }
  };

  return {
    open(wanted) {
      const topic = topics.get(wanted.topic) ?? newTopic(wanted.topic);
      topics.set(topic.key, topic);
      const now = clock.monotonicMs();
      const reader: Open = { ...wanted, isLive: false, writtenAt: now, taken: 0, progressAt: now };
      topic.readers.add(reader);
      count += 1;
      reader.stream.closed.addEventListener('abort', () => close(topic, reader), { once: true });
      if (reader.stream.closed.aborted) close(topic, reader);
      else catchUp(topic, reader);
      if (stopping !== null && topic.readers.has(reader)) tellStop(topic, reader, stopping);
    },
    announce(key) {
      const topic = topics.get(key);
      if (topic === undefined) return;
      topic.isStale = true;
      if (!topic.isPumping) pump(topic).catch(parts.onFailure);
    },
    isWatched: (key) => topics.has(key),
    count: () => count,
    startStopping({ type, data }) {
      stopping = Buffer.from(`event: ${type}\ndata: ${data}\n\n`);
      for (const topic of topics.values()) {
        for (const reader of topic.readers) tellStop(topic, reader, stopping);
      }
    },
    endAll() {
      for (const topic of topics.values()) {
        for (const reader of topic.readers) endReader(topic, reader);
      }
    },
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(tickMs, signal).catch(() => {});
        for (const topic of topics.values()) {
          for (const reader of topic.readers) attend(topic, reader);
        }
      }
    },
  };
}

/** Why a reader is to go, or null. */
function faultOf(reader: Open, now: number): 'lagged' | 'forbidden' | null {
  if (!reader.mayRead()) return 'forbidden';
  const taken = reader.stream.takenBytes();
  if (taken > reader.taken || reader.stream.queuedBytes() === 0) reader.progressAt = now;
  reader.taken = taken;
  return now - reader.progressAt > stalledMsMax ? 'lagged' : null;
}

const heartbeat = Buffer.from(':\n\n');

function newTopic(key: number): Topic {
  return { key, head: 0, readers: new Set(), isPumping: false, isStale: false };
}

function hasLive(topic: Topic): boolean {
  for (const reader of topic.readers) if (reader.isLive) return true;
  return false;
}

function frameOf(events: readonly FeedEvent[]): Buffer {
  return Buffer.from(
    events.map(({ seq, type, data }) => `id: ${seq}\nevent: ${type}\ndata: ${data}\n\n`).join(''),
  );
}
