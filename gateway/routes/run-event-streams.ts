// The events of a run to one reader, from where it wants them.
import type { FastifyReply, FastifyRequest } from 'fastify';

import { requestError } from '#shared/errors.ts';
import type { EventFeed } from '#shared/event-feed.ts';
import { openEventStream } from '#shared/event-stream.ts';

import type { Door } from '../access/door.ts';

export type RunEventStreams = {
  /** Takes the answer over. */
  open: (
    request: FastifyRequest,
    reply: FastifyReply,
    run: { runSeq: number; after: number; endsWhenStopping: boolean },
  ) => void;
};

export function createRunEventStreams(feed: EventFeed, door: Door): RunEventStreams {
  return {
    open(request, reply, { runSeq, after, endsWhenStopping }) {
      const mayRead = door.watchAccess(request);
      const stream = openEventStream(reply);
      feed.open({ topic: runSeq, after, stream, mayRead, endsWhenStopping });
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
