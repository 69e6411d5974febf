// Nobody overwrites what somebody else has changed meanwhile: https://www.rfc-editor.org/rfc/rfc9110#name-if-match
import type { FastifyRequest } from 'fastify';

import { invalidField, vaultError } from '../vault-errors.ts';

/** Throws `precondition_failed` when the version that the client has seen is not this one. */
export type VersionCheck = (current: number) => void;

/** Throws `precondition_required` for a request that does not say which version its client has seen. */
export function versionCheck({ headers }: Pick<FastifyRequest, 'headers'>): VersionCheck {
  const header = headers['if-match'];
  if (header === undefined) {
    const message = 'send the version that you have seen, the ETag of the answer, as If-Match';
    throw vaultError('precondition_required', message, { details: { field: 'If-Match' } });
  }
  const text = /^(?:W\/)?"?(\d{1,15})"?$/.exec(header.trim())?.[1];
  if (text === undefined) throw invalidField('If-Match', 'If-Match must be a version such as "3"');
  const seen = Number(text);
  return (current) => {
    if (seen === current) return;
    const message = `it was changed meanwhile: you have version ${seen}, it is at ${current}`;
    throw vaultError('precondition_failed', message, { details: { current_version: current } });
  };
}
