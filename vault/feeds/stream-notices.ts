// What the streams of people tell besides events: what one has read elsewhere, and that users, keys or invitations are other ones.
// None is an event of a feed, for it is not everybody's business. Nothing is kept: whoever opens a stream asks for the lists as well.
import type { EventStream } from '#shared/event-stream.ts';
import { peopleNotice, readNotice } from '#shared/vault-event-api.ts';
import type { ReadMarkView } from '#shared/vault-event-api.ts';

type Reader = Pick<EventStream, 'write' | 'closed'>;

export type StreamNotices = {
  /** Until it is closed. */
  follow: (userId: string, stream: Reader) => void;
  /** To nobody else. */
  tellRead: (userId: string, mark: ReadMarkView) => void;
  /** To everybody, without saying what: each asks for what they may see. */
  tellPeople: () => void;
};

export function createStreamNotices(): StreamNotices {
  const readers = new Map<string, Set<Reader>>();
  return {
    follow(userId, stream) {
      if (stream.closed.aborted) return;
      const own = readers.get(userId) ?? new Set();
      readers.set(userId, own.add(stream));
      const leave = (): void => {
        own.delete(stream);
        if (own.size === 0 && readers.get(userId) === own) readers.delete(userId);
      };
      stream.closed.addEventListener('abort', leave, { once: true });
    },
    tellRead(userId, mark) {
      const frame = frameOf(readNotice, mark);
      for (const stream of readers.get(userId) ?? []) stream.write(frame);
    },
    tellPeople() {
      const frame = frameOf(peopleNotice, {});
      for (const own of readers.values()) for (const stream of own) stream.write(frame);
    },
  };
}

function frameOf(type: string, data: object): Buffer {
  return Buffer.from(`event: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
}
