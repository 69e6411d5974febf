// Live readers of numbered events. The store is read, never memory: what was committed is announced, and each reader is brought from
// where it stands to the newest.
import type { Clock } from './clock.ts';
import { createEventTopic } from './event-topic.ts';
import type { EventTopic, FeedEvent, TopicReader } from './event-topic.ts';

export type { FeedEvent } from './event-topic.ts';

export type EventReader = Pick<TopicReader, 'stream' | 'after'> & {
  topic: number;
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
  /** Of readers. */
  count: () => number;
  /** Tells every reader that the service is stopping, now and from now on. */
  startStopping: (notice: { type: string; data: string }) => void;
  /** Ends every reader that is left. */
  endAll: () => void;
  /** Heartbeats, and an end for readers that stopped reading or may not read any more. */
  run: (signal: AbortSignal) => Promise<void>;
};

export type DropReason = 'lagged' | 'forbidden';

export type EventFeedParts = {
  /** In order, some at a time. */
  read: (topic: number, after: number) => FeedEvent[];
  /** Whether a stream ends with this event. */
  isLast: (event: FeedEvent) => boolean;
  onDropped: (reader: EventReader, reason: DropReason) => void;
  onFailure: (err: unknown) => void;
  clock: Clock;
};

const stalledMsMax = 15_000;
const heartbeatMs = 10_000;
const tickMs = 1000;

type Open = EventReader & TopicReader & { taken: number; progressAt: number };
type Topic = EventTopic<Open>;

export function createEventFeed(parts: EventFeedParts): EventFeed {
  const { clock } = parts;
  const topics = new Map<number, Topic>();
  let stopping: Buffer | null = null;

  const topicOf = (key: number): Topic => {
    const known = topics.get(key);
    if (known !== undefined) return known;
    const topic: Topic = createEventTopic({
      ...parts,
      read: (after) => parts.read(key, after),
      onRemoved: () => {
        if (topic.readers.size === 0) topics.delete(key);
      },
      monotonicMs: () => clock.monotonicMs(),
    });
    topics.set(key, topic);
    return topic;
  };
  const each = (act: (topic: Topic, reader: Open) => void): void => {
    for (const topic of topics.values()) for (const reader of topic.readers) act(topic, reader);
  };
  const tellStop = (notice: Buffer, topic: Topic, reader: Open): void => {
    reader.stream.write(notice);
    if (reader.endsWhenStopping) topic.end(reader);
  };
  const attend = (topic: Topic, reader: Open): void => {
    const now = clock.monotonicMs();
    const reason = faultOf(reader, now);
    if (reason !== null) {
      topic.remove(reader);
      parts.onDropped(reader, reason);
      reader.stream.destroy();
    } else if (now - reader.writtenAt >= heartbeatMs) {
      reader.writtenAt = now;
      reader.stream.write(heartbeat);
    }
  };

  return {
    open(wanted) {
      const topic = topicOf(wanted.topic);
      const now = clock.monotonicMs();
      const reader = { ...wanted, isLive: false, writtenAt: now, taken: 0, progressAt: now };
      topic.add(reader);
      const { closed } = reader.stream;
      closed.addEventListener('abort', () => topic.remove(reader), { once: true });
      if (closed.aborted) topic.remove(reader);
      else if (stopping !== null) tellStop(stopping, topic, reader);
    },
    announce: (key) => topics.get(key)?.announce(),
    isWatched: (key) => topics.has(key),
    count: () => topics.values().reduce((sum, { readers }) => sum + readers.size, 0),
    startStopping({ type, data }) {
      const notice = Buffer.from(`event: ${type}\ndata: ${data}\n\n`);
      stopping = notice;
      each((topic, reader) => tellStop(notice, topic, reader));
    },
    endAll: () => each((topic, reader) => topic.end(reader)),
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(tickMs, signal).catch(() => {});
        each(attend);
      }
    },
  };
}

const heartbeat = Buffer.from(':\n\n');

/** Why a reader is to go, or null. */
function faultOf(reader: Open, now: number): DropReason | null {
  if (!reader.mayRead()) return 'forbidden';
  const taken = reader.stream.takenBytes();
  if (taken > reader.taken || reader.stream.queuedBytes() === 0) reader.progressAt = now;
  reader.taken = taken;
  return now - reader.progressAt > stalledMsMax ? 'lagged' : null;
}
