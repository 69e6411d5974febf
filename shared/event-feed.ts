// Live readers of numbered events. The store is read, never memory: what was committed is announced, and each reader is brought from
// where it stands to the newest.
import type { Clock } from './clock.ts';
import { createEventTopic } from './event-topic.ts';
import type { EventTopic, FeedEvent, TopicReader } from './event-topic.ts';

export type { FeedEvent } from './event-topic.ts';

export type TopicKey = number | string;

export type EventReader<K extends TopicKey = number> = Pick<TopicReader, 'stream' | 'after'> & {
  topic: K;
  /** Whether it may still read; asked about once a second. */
  mayRead: () => boolean;
  /** It is ended when the service begins to stop; any other gets its last event first. */
  endsWhenStopping: boolean;
};

export type EventFeed<K extends TopicKey = number> = {
  open: (reader: EventReader<K>) => void;
  /** New events of this topic are committed. */
  announce: (topic: K) => void;
  isWatched: (topic: K) => boolean;
  /** Those that are watched. */
  topics: () => Iterable<K>;
  /** Of readers. */
  count: () => number;
  /** Tells every reader that the service is stopping, now and from now on. */
  startStopping: (notice: { type: string; data: string }) => void;
  /** Ends every reader that is left. */
  endAll: () => void;
  /** Heartbeats, an end for readers that stopped reading or may not read any more, and reads that are to be done once more. */
  run: (signal: AbortSignal) => Promise<void>;
};

export type DropReason = 'lagged' | 'forbidden';

export type EventFeedParts<K extends TopicKey = number> = {
  /**
   * In order, some at a time. Has to settle. Events have to be committed in the order of their numbers, too: one that appears when a
   * higher one has been read is missed.
   */
  read: (topic: K, after: number) => FeedEvent[] | Promise<FeedEvent[]>;
  /** Whether a stream ends with this event. */
  isLast: (event: FeedEvent) => boolean;
  onDropped: (reader: EventReader<K>, reason: DropReason) => void;
  /** Of a read. A reader on its way to the head is let go; live ones get what they lack when the store can be read again. */
  onFailure: (err: unknown) => void;
  /** Whether each reader may still read is asked before each event as well; it has to be cheap then. */
  asksEachTime?: boolean;
  /** Where events are committed also by others, who cannot announce them: a watched topic is read at least this often. */
  lookAgainMs?: number;
  clock: Clock;
};

const stalledMsMax = 15_000;
const heartbeatMs = 10_000;
const tickMs = 1000;

type Open<K extends TopicKey> = EventReader<K> &
  TopicReader & { taken: number; progressAt: number };

export function createEventFeed<K extends TopicKey = number>(
  parts: EventFeedParts<K>,
): EventFeed<K> {
  type Reader = Open<K>;
  type Topic = EventTopic<Reader>;
  const { clock } = parts;
  const topics = new Map<K, Topic>();
  let stopping: Buffer | null = null;

  const topicOf = (key: K): Topic => {
    const known = topics.get(key);
    if (known !== undefined) return known;
    const topic: Topic = createEventTopic({
      ...parts,
      read: (after) => parts.read(key, after),
      onRemoved: () => {
        if (topic.readers.size === 0) topics.delete(key);
      },
      refuses: (reader) => {
        const isRefused = parts.asksEachTime === true && !reader.mayRead();
        if (isRefused) drop(topic, reader, 'forbidden');
        return isRefused;
      },
      monotonicMs: () => clock.monotonicMs(),
      lookAgainMs: parts.lookAgainMs ?? Number.POSITIVE_INFINITY,
    });
    topics.set(key, topic);
    return topic;
  };
  const each = (act: (topic: Topic, reader: Reader) => void): void => {
    for (const topic of topics.values()) for (const reader of topic.readers) act(topic, reader);
  };
  const tellStop = (notice: Buffer, topic: Topic, reader: Reader): void => {
    reader.stream.write(notice);
    if (reader.endsWhenStopping) topic.end(reader);
  };
  const drop = (topic: Topic, reader: Reader, reason: DropReason): void => {
    topic.remove(reader);
    parts.onDropped(reader, reason);
    reader.stream.destroy();
  };
  const attend = (topic: Topic, reader: Reader): void => {
    const now = clock.monotonicMs();
    const reason = faultOf(reader, now);
    if (reason !== null) {
      drop(topic, reader, reason);
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
    topics: () => topics.keys(),
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
        if (!signal.aborted) for (const topic of topics.values()) topic.lookAgain();
      }
    },
  };
}

const heartbeat = Buffer.from(':\n\n');

/** Why a reader is to go, or null. */
function faultOf(reader: Open<TopicKey>, now: number): DropReason | null {
  if (!reader.mayRead()) return 'forbidden';
  const taken = reader.stream.takenBytes();
  if (taken > reader.taken || reader.stream.queuedBytes() === 0) reader.progressAt = now;
  reader.taken = taken;
  return now - reader.progressAt > stalledMsMax ? 'lagged' : null;
}
