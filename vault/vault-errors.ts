// What the vault may answer beyond the codes that all services share.
import { AppError, requestError } from '#shared/errors.ts';
import type { AppErrorOptions, ErrorKind } from '#shared/errors.ts';

export const vaultErrors = {
  precondition_failed: { code: 'precondition_failed', statusCode: 412, retryable: false },
  precondition_required: { code: 'precondition_required', statusCode: 428, retryable: false },
  rate_limited: { code: 'rate_limited', statusCode: 429, retryable: true },
  unavailable: { code: 'unavailable', statusCode: 503, retryable: true },
  disk_full: { code: 'disk_full', statusCode: 507, retryable: true },
} as const satisfies Record<string, ErrorKind>;

export type VaultErrorCode = keyof typeof vaultErrors;

export function vaultError(
  code: VaultErrorCode,
  message: string,
  options?: AppErrorOptions,
): AppError {
  return new AppError(vaultErrors[code], message, options);
}

export function notFound(what: string): AppError {
  return requestError('not_found', `there is no such ${what}`);
}

export function invalidField(field: string, message: string): AppError {
  return requestError('invalid_request', message, { details: { field } });
}

/** The database is away or locked; whether a write that was under way happened cannot be told. */
export function databaseUnavailable(cause: unknown): AppError {
  const message =
    'the database does not answer: ask again; a repeated request with the same Idempotency-Key is done once';
  return vaultError('unavailable', message, { retryAfterSecs: 2, cause });
}
