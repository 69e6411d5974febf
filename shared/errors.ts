// Codes are for programs, messages for the reader; the table is contract.md's.
import type { JsonValue } from './json-value.ts';

export type ErrorKind = {
  readonly code: string;
  readonly statusCode: number;
  readonly retryable: boolean;
};

export const requestErrors = {
  invalid_request: { code: 'invalid_request', statusCode: 400, retryable: false },
  unauthorized: { code: 'unauthorized', statusCode: 401, retryable: false },
  forbidden: { code: 'forbidden', statusCode: 403, retryable: false },
  not_found: { code: 'not_found', statusCode: 404, retryable: false },
  method_not_allowed: { code: 'method_not_allowed', statusCode: 405, retryable: false },
  request_timeout: { code: 'request_timeout', statusCode: 408, retryable: true },
  conflict: { code: 'conflict', statusCode: 409, retryable: false },
  gone: { code: 'gone', statusCode: 410, retryable: false },
  payload_too_large: { code: 'payload_too_large', statusCode: 413, retryable: false },
  unsupported_media_type: { code: 'unsupported_media_type', statusCode: 415, retryable: false },
  wrong_host: { code: 'wrong_host', statusCode: 421, retryable: false },
  idempotency_mismatch: { code: 'idempotency_mismatch', statusCode: 422, retryable: false },
  app_busy: { code: 'app_busy', statusCode: 429, retryable: true },
  queue_full: { code: 'queue_full', statusCode: 429, retryable: true },
  too_many_attempts: { code: 'too_many_attempts', statusCode: 429, retryable: true },
  headers_too_large: { code: 'headers_too_large', statusCode: 431, retryable: false },
  internal: { code: 'internal', statusCode: 500, retryable: false },
  draining: { code: 'draining', statusCode: 503, retryable: true },
} as const satisfies Record<string, ErrorKind>;

export type RequestErrorCode = keyof typeof requestErrors;

export type ErrorDetails = Readonly<Record<string, JsonValue>>;

export type AppErrorOptions = {
  retryAfterSecs?: number | undefined;
  details?: ErrorDetails | undefined;
  runId?: string | undefined;
  cause?: unknown;
};

/** An error whose message may be shown to whoever made the request. */
export class AppError extends Error {
  override readonly name: string = 'AppError';
  readonly code: string;
  readonly statusCode: number;
  readonly retryable: boolean;
  readonly retryAfterSecs: number | undefined;
  readonly details: ErrorDetails | undefined;
  readonly runId: string | undefined;

  constructor(kind: ErrorKind, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = kind.code;
    this.statusCode = kind.statusCode;
    this.retryable = kind.retryable;
    this.retryAfterSecs = options.retryAfterSecs;
    this.details = options.details;
    this.runId = options.runId;
  }

  /** The same, told of a run. */
  ofRun(runId: string): AppError {
    const { message, retryAfterSecs, details } = this;
    return new AppError(this, message, { retryAfterSecs, details, runId, cause: this });
  }
}

export function requestError(
  code: RequestErrorCode,
  message: string,
  options?: AppErrorOptions,
): AppError {
  return new AppError(requestErrors[code], message, options);
}

/** Why a service cannot start, said to its operator: shown without a stack. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
