// The events of a run to one reader, from where it wants them.
import type { FastifyReply, FastifyRequest } from 'fastify';

import { requestError } from '#shared/errors.ts';
import type { EventFeed } from '#shared/event-feed.ts';
import { openEventStream } from '#shared/event-stream.ts';
import type { EventStream } from '#shared/event-stream.ts';

import type { Door } from '../access/door.ts';

export type RunEventStreams = {
  /** Throws `app_busy` for an app that has very many open. */
  admit: (request: FastifyRequest) => void;
  /** Takes the answer over. */
  open: (
    request: FastifyRequest,
    reply: FastifyReply,
    run: { runSeq: number; after: number; endsWhenStopping: boolean },
  ) => EventStream;
};

/** Each costs the gateway a connection and some memory. */
const streamsOfAnAppMax = 2000;

export function createRunEventStreams(feed: EventFeed, door: Door): RunEventStreams {
  const openOf = new Map<number, number>();
  const count = (appId: number, change: 1 | -1): void => {
    const open = (openOf.get(appId) ?? 0) + change;
    if (open > 0) openOf.set(appId, open);
    else openOf.delete(appId);
  };
  return {
    admit(request) {
      const { appId, name } = door.appOf(request);
      if ((openOf.get(appId) ?? 0) < streamsOfAnAppMax) return;
      const message = `${name} already has ${streamsOfAnAppMax} event streams open`;
      throw requestError('app_busy', message, { retryAfterSecs: 10 });
    },
    open(request, reply, { runSeq, after, endsWhenStopping }) {
      const { appId } = door.appOf(request);
      count(appId, 1);
      const mayRead = door.watchAccess(request);
      const stream = openEventStream(reply);
      stream.closed.addEventListener('abort', () => count(appId, -1), { once: true });
      feed.open({ topic: runSeq, after, stream, mayRead, endsWhenStopping });
      return stream;
    },
  };
}

/** The number after which a reader wants to go on. Throws `gone` for one that this run has not had. */
export function readLastEventId(header: string | string[] | undefined, lastSeq: number): number {
  if (header === undefined || header === '') return 0;
  const seq = typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : Number.NaN;
  if (seq <= lastSeq) return seq;
  throw requestError(
    'gone',
    'the events after this Last-Event-ID cannot be replayed: read the run from its beginning',
    { details: { field: 'Last-Event-ID' } },
  );
}
