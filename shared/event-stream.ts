// One answer that goes on: server-sent events to one reader.
import type { ServerResponse } from 'node:http';

import type { FastifyReply } from 'fastify';

export type EventStream = {
  write: (frame: Buffer) => void;
  /** Bytes that the reader has not taken yet, and those it has; about. */
  queuedBytes: () => number;
  takenBytes: () => number;
  /** Resolves when nothing is queued or the reader has gone. */
  drained: () => Promise<void>;
  /** Ends well, after what is queued. */
  end: () => void;
  /** Ends at once. */
  destroy: () => void;
  closed: AbortSignal;
  /** The reader has gone by itself: it was neither ended nor dropped by us. */
  left: AbortSignal;
};

const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  // nginx would hold the events back until its buffer is full.
  'x-accel-buffering': 'no',
};
/** How long a browser waits before it comes back. */
const reconnectMs = 2000;

/** Takes the answer out of Fastify's hands; headers set before are sent as well. */
export function openEventStream(reply: FastifyReply): EventStream {
  reply.headers(headers);
  const response: ServerResponse = reply.raw;
  const closed = new AbortController();
  const left = new AbortController();
  let isOurs = false;
  response.once('close', () => {
    closed.abort();
    if (!isOurs) left.abort();
  });
  // A reader that resets its connection is no error of ours.
  response.on('error', () => {});
  const set = Object.entries(reply.getHeaders()).filter((header) => header[1] !== undefined);
  reply.hijack();
  response.writeHead(200, Object.fromEntries(set));
  response.socket?.setNoDelay(true);
  response.write(`retry: ${reconnectMs}\n\n`);
  let writtenBytes = 0;
  return {
    write(frame) {
      if (!response.writable) return;
      writtenBytes += frame.length;
      response.write(frame);
    },
    queuedBytes: () => response.writableLength,
    takenBytes: () => writtenBytes - response.writableLength,
    drained: () => drained(response),
    end() {
      isOurs = true;
      response.end();
    },
    destroy() {
      isOurs = true;
      response.destroy();
    },
    closed: closed.signal,
    left: left.signal,
  };
}

async function drained(response: ServerResponse): Promise<void> {
  if (!response.writableNeedDrain || response.closed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  await promise;
  response.off('drain', resolve).off('close', resolve);
}
