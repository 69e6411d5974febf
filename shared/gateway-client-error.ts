// What went wrong between an app and the gateway, in one form: an answer that is not 2xx, one that is not the gateway's, or none.
import type { IncomingHttpHeaders } from 'node:http';

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

import { ErrorObject } from './api-schema.ts';

export type GatewayErrorFacts = {
  /** Null when there was no answer. */
  status: number | null;
  retryable: boolean;
  retryAfterSecs?: number | undefined;
  requestId?: string | undefined;
  runId?: string | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
};

/** `code` is one of the gateway's, or `unreachable`, `no_answer`, `bad_answer` or `closed`. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: string;
  readonly status: number | null;
  readonly retryable: boolean;
  readonly retryAfterSecs: number | undefined;
  readonly requestId: string | undefined;
  readonly runId: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, facts: GatewayErrorFacts) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.retryable = facts.retryable;
    this.retryAfterSecs = facts.retryAfterSecs;
    this.requestId = facts.requestId;
    this.runId = facts.runId;
    this.details = facts.details;
  }
}

/** The connection could not be made, or broke before the whole answer was there. */
export function unreachable(cause: unknown): GatewayError {
  const reason = cause instanceof Error ? cause.message || codeOf(cause) : '';
  const message = `The connection to the gateway failed${reason === '' ? '' : `: ${reason}`}.`;
  return new GatewayError('unreachable', message, { status: null, retryable: true, cause });
}

export function noAnswer(silentMs: number): GatewayError {
  const message = `Nothing came from the gateway for ${silentMs / 1000} seconds.`;
  return new GatewayError('no_answer', message, { status: null, retryable: true });
}

export function clientClosed(): GatewayError {
  const message = 'The client was closed.';
  return new GatewayError('closed', message, { status: null, retryable: false });
}

/** Something answered, but not as the gateway does: another service, a proxy, another version. */
export function badAnswer(
  reason: string,
  status: number | null,
  facts: Partial<GatewayErrorFacts> = {},
): GatewayError {
  const message = `The answer is not one of the gateway: ${reason}.`;
  return new GatewayError('bad_answer', message, { retryable: false, ...facts, status });
}

const ErrorBody = Compile(
  Type.Object({
    error: ErrorObject,
    request_id: Type.Optional(Type.String()),
    run_id: Type.Optional(Type.String()),
  }),
);

/** Of an answer that is not 2xx. */
export function errorOfAnswer(
  status: number,
  headers: IncomingHttpHeaders,
  text: string,
): GatewayError {
  const body = parseJson(text);
  const retryAfterSecs = secondsOf(headers['retry-after']);
  if (!ErrorBody.Check(body)) {
    const reason = `it has status ${status} and no error that could be read`;
    // A proxy says so when there is nobody behind it for a while.
    const retryable = repeatableStatuses.has(status);
    return badAnswer(reason, status, { retryable, retryAfterSecs });
  }
  const { code, message, retryable, retry_after_secs, details } = body.error;
  return new GatewayError(code, message, {
    ...{ status, retryable, details },
    retryAfterSecs: retry_after_secs ?? retryAfterSecs,
    requestId: body.request_id,
    runId: body.run_id,
  });
}

const repeatableStatuses = new Set([408, 429, 502, 503, 504]);

/**
 * Whether the same request, sent once more, may get another answer. How a run has ended is its last word: the same key gets
 * the same again, and whether to start another run is for the app to decide.
 */
export function isWorthRepeating(err: unknown): err is GatewayError {
  if (!(err instanceof GatewayError) || !err.retryable) return false;
  if (err.status === null) return true;
  const isEndOfRun = err.runId !== undefined && err.code !== 'draining';
  return repeatableStatuses.has(err.status) && !isEndOfRun;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function secondsOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : undefined;
}

function codeOf(err: Error): string {
  return 'code' in err ? String(err.code) : '';
}
