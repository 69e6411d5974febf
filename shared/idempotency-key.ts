// What a request with an Idempotency-Key is told apart by, and what its sender hears who cannot have the first answer.
import { createHash } from 'node:crypto';

import { canonicalJson } from './audit-chain.ts';
import { requestError } from './errors.ts';
import type { AppError } from './errors.ts';
import type { JsonValue } from './json-value.ts';

const onKey = { details: { field: 'Idempotency-Key' } };

export function requestDigest(request: JsonValue): string {
  return createHash('sha256').update(canonicalJson(request)).digest('hex');
}

/** Null without the header. Throws `invalid_request` for one that is no key. */
export function readIdempotencyKey(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  if (typeof header === 'string' && /^[\u0020-\u007e]{1,255}$/.test(header)) return header;
  throw requestError(
    'invalid_request',
    'Idempotency-Key must be 1 to 255 printable ASCII characters',
    onKey,
  );
}

/** Of a request whose answer is shown once and cannot be sent again. */
export function answeredOnce(): AppError {
  const message = 'a request with this Idempotency-Key was done before; its answer is shown once';
  return requestError('conflict', message, onKey);
}

/** For another request than the first one under its key. */
export function idempotencyMismatch(): AppError {
  const message = 'this Idempotency-Key was used for another request: take a new key for a new one';
  return requestError('idempotency_mismatch', message, onKey);
}

/** The first one may be a run, which can be asked for. */
export function inProgress(runId?: string): AppError {
  const message = 'the first request with this Idempotency-Key is still under way';
  return requestError('conflict', message, { runId });
}
