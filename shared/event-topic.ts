// The readers of one topic. Those at its head share one read of the store and one buffer; any other is brought there at its own pace.
import { setImmediate as endOfTurn } from 'node:timers/promises';

import type { EventStream } from './event-stream.ts';

export type FeedEvent = {
  seq: number;
  type: string;
  /** JSON without a line break. */ data: string;
};

export type TopicReader = {
  stream: EventStream;
  /** The number of the last event it has. */
  after: number;
  /** It stands at the head, and gets what is new with the others. */
  isLive: boolean;
  /** When it was sent something last, on the monotonic clock. */
  writtenAt: number;
};

export type EventTopic<R extends TopicReader> = {
  add: (reader: R) => void;
  remove: (reader: R) => void;
  /** Ends its answer well. */
  end: (reader: R) => void;
  /** New events are committed. */
  announce: () => void;
  readers: ReadonlySet<R>;
};

export type EventTopicParts<R> = {
  /** Those after a number, some at a time. */
  read: (after: number) => FeedEvent[];
  /** Whether a stream ends with this event. */
  isLast: (event: FeedEvent) => boolean;
  onRemoved: (reader: R) => void;
  onFailure: (err: unknown) => void;
  monotonicMs: () => number;
};

/** A stream that has more than this waiting gets nothing further before it has taken it. */
const queuedBytesMax = 256 * 2 ** 10;
/** Readers served before others get their turn on the event loop. */
const readersPerTurn = 50;

export function createEventTopic<R extends TopicReader>(parts: EventTopicParts<R>): EventTopic<R> {
  const { read, isLast, onFailure, monotonicMs } = parts;
  const readers = new Set<R>();
  /** Where the live readers stand. */
  let head = 0;
  let isPumping = false;

  const remove = (reader: R): void => {
    if (readers.delete(reader)) parts.onRemoved(reader);
  };
  const end = (reader: R): void => {
    remove(reader);
    reader.stream.end();
  };
  const send = (reader: R, events: readonly FeedEvent[], frame = frameOf(events)): void => {
    const last = events.at(-1);
    if (last === undefined || reader.stream.closed.aborted) return;
    reader.stream.write(frame);
    reader.after = last.seq;
    reader.writtenAt = monotonicMs();
    if (isLast(last)) end(reader);
  };
  const bringToHead = async (reader: R): Promise<void> => {
    while (readers.has(reader)) {
      await reader.stream.drained();
      if (!readers.has(reader)) return;
      const events = read(reader.after);
      if (events.length === 0) {
        if (!hasLive(readers)) head = reader.after;
        reader.isLive = true;
        return;
      }
      send(reader, events);
    }
  };
  const catchUp = (reader: R): void => {
    reader.isLive = false;
    bringToHead(reader).catch((err: unknown) => {
      remove(reader);
      onFailure(err);
      reader.stream.destroy();
    });
  };
  /** False when there was nothing new, or nobody to send it to: whoever is not live reads it before it becomes so. */
  const sendNew = async (): Promise<boolean> => {
    const base = head;
    const events = hasLive(readers) ? read(base) : [];
    if (events.length === 0) return false;
    head = events.at(-1)?.seq ?? base;
    const frame = frameOf(events);
    let served = 0;
    for (const reader of readers) {
      if (!reader.isLive || reader.after >= head) continue;
      if (reader.stream.queuedBytes() > queuedBytesMax) catchUp(reader);
      else if (reader.after === base) send(reader, events, frame);
      else send(reader, since(events, reader.after));
      served += 1;
      if (served % readersPerTurn === 0) await endOfTurn();
    }
    return true;
  };
  const pump = async (): Promise<void> => {
    isPumping = true;
    try {
      while (await sendNew());
    } finally {
      isPumping = false;
    }
  };
  return {
    readers,
    remove,
    end,
    add(reader) {
      readers.add(reader);
      catchUp(reader);
    },
    announce() {
      // A pump under way goes on until it has read nothing new.
      if (!isPumping) pump().catch(onFailure);
    },
  };
}

function hasLive(readers: ReadonlySet<TopicReader>): boolean {
  for (const reader of readers) if (reader.isLive) return true;
  return false;
}

function since(events: readonly FeedEvent[], after: number): FeedEvent[] {
  return events.filter(({ seq }) => seq > after);
}

function frameOf(events: readonly FeedEvent[]): Buffer {
  return Buffer.from(
    events.map(({ seq, type, data }) => `id: ${seq}\nevent: ${type}\ndata: ${data}\n\n`).join(''),
  );
}
