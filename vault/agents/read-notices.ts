// Tells the streams of a person what they have read elsewhere. It is nobody else's business, so it is no event of a feed; nothing is
// kept: whoever opens a stream asks for the list of agents as well.
import type { EventStream } from '#shared/event-stream.ts';
import { readNotice } from '#shared/vault-event-api.ts';
import type { ReadMarkView } from '#shared/vault-event-api.ts';

export type ReadNotices = {
  /** Until it is closed. */
  follow: (userId: string, stream: Pick<EventStream, 'write' | 'closed'>) => void;
  tell: (userId: string, mark: ReadMarkView) => void;
};

export function createReadNotices(): ReadNotices {
  const followers = new Map<string, Set<Pick<EventStream, 'write'>>>();
  return {
    follow(userId, stream) {
      if (stream.closed.aborted) return;
      const streams = followers.get(userId) ?? new Set();
      followers.set(userId, streams.add(stream));
      const leave = (): void => {
        streams.delete(stream);
        if (streams.size === 0 && followers.get(userId) === streams) followers.delete(userId);
      };
      stream.closed.addEventListener('abort', leave, { once: true });
    },
    tell(userId, mark) {
      const notice = Buffer.from(`event: ${readNotice}\ndata: ${JSON.stringify(mark)}\n\n`);
      for (const stream of followers.get(userId) ?? []) stream.write(notice);
    },
  };
}
