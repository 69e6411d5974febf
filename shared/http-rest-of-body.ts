// A client that is refused while it is still sending must get to read why.
import type { FastifyReply } from 'fastify';

import type { Clock } from './clock.ts';

const waitMs = 2000;

/**
 * Throws away what still comes of the body. On a connection that stays, the answer can go out at once; one that closes is
 * given a moment, since closing it with bytes unread would take the answer away from the client.
 */
export async function discardRestOfBody(reply: FastifyReply, clock: Clock): Promise<void> {
  const request = reply.request.raw;
  request.unpipe();
  request.resume();
  if (reply.raw.shouldKeepAlive || request.complete) return;
  const over = new AbortController();
  const done = (): void => over.abort();
  request.once('end', done).once('close', done);
  if (request.destroyed) done();
  await clock.sleep(waitMs, over.signal).catch(() => {});
}
