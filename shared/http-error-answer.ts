// Every failure leaves as the one error object of contract.md.
import { STATUS_CODES } from 'node:http';

import type { FastifyReply } from 'fastify';

import { AppError, requestError } from './errors.ts';
import type { RequestErrorCode } from './errors.ts';

export type ErrorEnvelope = { ok: false } | { success: false };

export const safetyHeaders = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
} as const;

export function errorBody(envelope: ErrorEnvelope, error: AppError, requestId: string): string {
  return JSON.stringify({
    ...envelope,
    error: {
      code: error.code,
      message: error.message,
      retryable: error.retryable,
      retry_after_secs: retryAfterSecs(error),
      details: error.details,
    },
    request_id: requestId,
    run_id: error.runId,
  });
}

export function sendError(reply: FastifyReply, envelope: ErrorEnvelope, error: AppError): void {
  const requestId = reply.request.id;
  const wait = retryAfterSecs(error);
  if (wait !== undefined) {
    reply.header('retry-after', wait);
  }
  reply
    .code(error.statusCode)
    .headers(safetyHeaders)
    .header('x-request-id', requestId)
    .header('content-type', 'application/json; charset=utf-8')
    // A string is sent as it is, whatever the route's response schema says.
    .send(errorBody(envelope, error, requestId));
}

/** The same answer for a connection whose request never became one. */
export function rawErrorAnswer(
  envelope: ErrorEnvelope,
  error: AppError,
  requestId: string,
): string {
  const body = errorBody(envelope, error, requestId);
  const headers = Object.entries({
    ...safetyHeaders,
    'x-request-id': requestId,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const { statusCode } = error;
  return `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${headers.join('')}\r\n${body}`;
}

/** Ours as they are, Fastify's refusals by status; null is a bug of ours. */
export function toAppError(err: unknown): AppError | null {
  if (err instanceof AppError) {
    return err;
  }
  if (!(err instanceof Error) || !('statusCode' in err) || !isRefusalCode(err)) {
    return null;
  }
  const refusal = fastifyRefusals.get(Number(err.statusCode));
  return refusal === undefined ? null : requestError(...refusal, { cause: err });
}

// ECONNRESET with a status: the client left while its body was read.
function isRefusalCode(err: Error): boolean {
  const code = 'code' in err ? String(err.code) : '';
  return code.startsWith('FST_') || code === 'ECONNRESET';
}

const fastifyRefusals = new Map<number, [RequestErrorCode, string]>([
  [400, ['invalid_request', 'the request is not well formed']],
  [404, ['not_found', 'there is nothing here']],
  [413, ['payload_too_large', 'the body is too large']],
  [414, ['not_found', 'there is nothing here']],
  [415, ['unsupported_media_type', 'the body must be application/json in UTF-8']],
]);

function retryAfterSecs(error: AppError): number | undefined {
  return error.retryAfterSecs === undefined
    ? undefined
    : Math.max(1, Math.ceil(error.retryAfterSecs));
}
