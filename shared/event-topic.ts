// The readers of one topic. Those at its head, the live ones, share one read of the store and one buffer; any other is brought
// there at its own pace. Anything may happen while a read is awaited: no event is missed since the pump reads from where the live
// reader stands that has least, and is woken for one that became live with a read that may be too old.
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
  /** Reads once more if the last read failed, or if it was long ago. */
  lookAgain: () => void;
  readers: ReadonlySet<R>;
};

export type EventTopicParts<R> = {
  /** Those after a number, some at a time. */
  read: (after: number) => FeedEvent[] | Promise<FeedEvent[]>;
  /** Whether a stream ends with this event. */
  isLast: (event: FeedEvent) => boolean;
  onRemoved: (reader: R) => void;
  /** Asked before a reader is sent something; one that is refused has been removed. */
  refuses?: ((reader: R) => boolean) | undefined;
  onFailure: (err: unknown) => void;
  monotonicMs: () => number;
  lookAgainMs: number;
};

/** A stream that has more than this waiting gets nothing further before it has taken it. */
const queuedBytesMax = 256 * 2 ** 10;
/** Readers served before others get their turn on the event loop. */
const readersPerTurn = 50;

export function createEventTopic<R extends TopicReader>(parts: EventTopicParts<R>): EventTopic<R> {
  const { read, isLast, onFailure, monotonicMs } = parts;
  const readers = new Set<R>();
  /** How far live readers have come. */
  let front = 0;
  /** How often something was announced. */
  let announced = 0;
  /** There may be events that live readers lack. */
  let isDue = false;
  let isPumping = false;
  let isFailing = false;
  let lookedAt = monotonicMs();

  const remove = (reader: R): void => {
    if (readers.delete(reader)) parts.onRemoved(reader);
  };
  const end = (reader: R): void => {
    remove(reader);
    reader.stream.end();
  };
  const send = (reader: R, events: readonly FeedEvent[], frame = frameOf(events)): void => {
    const last = events.at(-1);
    if (last === undefined) return;
    if (reader.stream.closed.aborted) {
      remove(reader);
      return;
    }
    if (parts.refuses?.(reader) === true) return;
    reader.stream.write(frame);
    reader.after = last.seq;
    reader.writtenAt = monotonicMs();
    if (isLast(last)) end(reader);
  };
  const bringToHead = async (reader: R): Promise<void> => {
    while (readers.has(reader)) {
      await reader.stream.drained();
      if (!readers.has(reader)) return;
      const before = announced;
      const events = await read(reader.after);
      if (!readers.has(reader)) return;
      const isEmpty = events.length === 0;
      send(reader, events);
      // Also one that has come as far as the live ones: where events never stop, no read is ever empty.
      if (!isEmpty && !(hasLive(readers) && reader.after >= front)) continue;
      // Announced, or sent to the others, while it read: the pump has to look for it too.
      const lacksNothing = isEmpty && announced === before && reader.after >= front;
      reader.isLive = true;
      front = Math.max(front, reader.after);
      if (!lacksNothing) wake();
      return;
    }
  };
  const catchUp = (reader: R): void => {
    reader.isLive = false;
    bringToHead(reader).catch((err: unknown) => {
      // Whoever has gone meanwhile may have been ended well.
      if (!readers.has(reader)) return;
      remove(reader);
      onFailure(err);
      reader.stream.destroy();
    });
  };
  const serve = async (base: number, events: readonly FeedEvent[]): Promise<void> => {
    const last = events.at(-1)?.seq ?? base;
    const frame = frameOf(events);
    front = Math.max(front, last);
    let served = 0;
    for (const reader of readers) {
      // Who became live during the read may stand before its base: the next read is for it.
      if (!reader.isLive || reader.after < base || reader.after >= last) continue;
      if (reader.stream.queuedBytes() > queuedBytesMax) catchUp(reader);
      else if (reader.after === base) send(reader, events, frame);
      else send(reader, since(events, reader.after));
      served += 1;
      if (served % readersPerTurn === 0) await endOfTurn();
    }
  };
  /** Nobody is live: whoever is not reads it before it becomes so. */
  const sendNew = async (): Promise<void> => {
    const base = lowestLive(readers);
    if (base === null) return;
    lookedAt = monotonicMs();
    const events = await read(base);
    isFailing = false;
    if (events.length === 0) return;
    isDue = true;
    await serve(base, events);
  };
  const pump = async (): Promise<void> => {
    isPumping = true;
    try {
      // Nothing may be awaited between the last look at `isDue` and the end: what is announced there would be lost.
      while (isDue) {
        isDue = false;
        await sendNew();
      }
    } catch (err) {
      isDue = true;
      if (!isFailing && hasLive(readers)) {
        isFailing = true;
        onFailure(err);
      }
    } finally {
      isPumping = false;
    }
  };
  const wake = (): void => {
    isDue = true;
    if (!isPumping) void pump();
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
      announced += 1;
      wake();
    },
    lookAgain() {
      if (isDue || monotonicMs() - lookedAt >= parts.lookAgainMs) wake();
    },
  };
}

function hasLive(readers: ReadonlySet<TopicReader>): boolean {
  for (const reader of readers) if (reader.isLive) return true;
  return false;
}

/** Where the live reader stands that has least. */
function lowestLive(readers: ReadonlySet<TopicReader>): number | null {
  let lowest: number | null = null;
  for (const { isLive, after } of readers) {
    if (isLive && (lowest === null || after < lowest)) lowest = after;
  }
  return lowest;
}

function since(events: readonly FeedEvent[], after: number): FeedEvent[] {
  return events.filter(({ seq }) => seq > after);
}

function frameOf(events: readonly FeedEvent[]): Buffer {
  return Buffer.from(
    events.map(({ seq, type, data }) => `id: ${seq}\nevent: ${type}\ndata: ${data}\n\n`).join(''),
  );
}
