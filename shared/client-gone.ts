// Tells when whoever asked has gone. Only the response's own close is right: after a POST with a body the request's
// 'close' and Fastify's request.signal fire at once, on healthy requests as well (fastify#4690).
import type { FastifyReply } from 'fastify';

export function clientGoneSignal(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  if (reply.raw.closed) gone.abort();
  return gone.signal;
}
