// An answer that exists as text already: sent as it is, the same each time.
import type { FastifyReply } from 'fastify';

export type TextAnswer = { statusCode: number; body: string };

export function sendAnswer(reply: FastifyReply, { statusCode, body }: TextAnswer): FastifyReply {
  const retryAfterSecs = statusCode >= 400 ? retryAfterOf(body) : undefined;
  if (retryAfterSecs !== undefined) reply.header('retry-after', retryAfterSecs);
  return reply
    .code(statusCode)
    .header('content-type', 'application/json; charset=utf-8')
    .serializer(asItIs)
    .send(body);
}

export function replayed(reply: FastifyReply): FastifyReply {
  return reply.header('idempotent-replayed', 'true');
}

function retryAfterOf(body: string): number | undefined {
  const { error }: { error?: { retry_after_secs?: number } } = JSON.parse(body);
  return error?.retry_after_secs;
}

function asItIs(body: unknown): string {
  return String(body);
}
