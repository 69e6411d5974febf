// What went wrong between a client and the vault, in one form: an answer that is not 2xx, one that is not the vault's, or none.
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

import { ErrorObject } from './api-schema.ts';

export type VaultErrorFacts = {
  /** Null when there was no answer. */
  status: number | null;
  retryable: boolean;
  retryAfterSecs?: number | undefined;
  details?: Readonly<Record<string, unknown>> | undefined;
  cause?: unknown;
};

/** `code` is one of the vault's, or `unreachable`, `no_answer` or `bad_answer`. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly code: string;
  readonly status: number | null;
  readonly retryable: boolean;
  readonly retryAfterSecs: number | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: string, message: string, facts: VaultErrorFacts) {
    super(message, facts.cause === undefined ? {} : { cause: facts.cause });
    this.code = code;
    this.status = facts.status;
    this.retryable = facts.retryable;
    this.retryAfterSecs = facts.retryAfterSecs;
    this.details = facts.details;
  }
}

const ErrorBody = Compile(Type.Object({ success: Type.Literal(false), error: ErrorObject }));

export function vaultErrorOf(status: number, headers: Headers, text: string): VaultError {
  const header = headers.get('retry-after') ?? '';
  const retryAfterSecs = /^\d{1,9}$/.test(header) ? Number(header) : undefined;
  const body = parseJson(text);
  if (!ErrorBody.Check(body)) {
    // A proxy says so when there is nobody behind it for a while.
    const retryable = [408, 429, 502, 503, 504].includes(status);
    const message = `The answer is not one of the vault: it has status ${status} and no error that could be read.`;
    return new VaultError('bad_answer', message, { status, retryable, retryAfterSecs });
  }
  const { code, message, retryable, retry_after_secs: asked, details } = body.error;
  const facts = { status, retryable, details, retryAfterSecs: asked ?? retryAfterSecs };
  return new VaultError(code, message, facts);
}

export function vaultUnreachable(cause: unknown): VaultError {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = inner instanceof Error ? inner.message : String(inner);
  const message = `The connection to the vault failed: ${reason}`;
  return new VaultError('unreachable', message, { status: null, retryable: true, cause });
}

export function vaultSilent(silentMs: number): VaultError {
  const message = `Nothing came from the vault for ${silentMs / 1000} seconds.`;
  return new VaultError('no_answer', message, { status: null, retryable: true });
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
