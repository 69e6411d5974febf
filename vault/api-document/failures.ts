// How the vault fails: what each error code tells a reader, and the form of it.
import { Type } from 'typebox';

import type { Failures } from '#shared/api-document/document-parts.ts';
import { ErrorObject } from '#shared/api-schema.ts';
import { requestErrors } from '#shared/errors.ts';
import type { RequestErrorCode } from '#shared/errors.ts';

import { vaultErrors } from '../vault-errors.ts';
import type { VaultErrorCode } from '../vault-errors.ts';

/** Queues of runs are the gateway's. */
type CodeOfOthers = 'app_busy' | 'queue_full';

export type ErrorCode = Exclude<RequestErrorCode, CodeOfOthers> | VaultErrorCode;

const meanings: Readonly<Record<ErrorCode, string>> = {
  invalid_request: 'the request is wrong: the message says how, the details where',
  unauthorized: 'a valid token is needed: Authorization: Bearer <token>',
  forbidden: 'this address, origin, role or key may not: the message says what it needs',
  not_found: 'there is nothing of this name, or it is not for this key',
  method_not_allowed: 'the path answers to other methods: see the header Allow',
  request_timeout: 'the request itself did not arrive in time',
  conflict: 'it is taken, over or in another state: the message says which',
  gone: 'there is no event of this number yet: the database is another one, read the feed anew',
  payload_too_large: 'over the size limit or the quota that the message names',
  unsupported_media_type: 'send what the route takes, in UTF-8 and not compressed',
  wrong_host: 'the Host header names another host: see ALLOWED_HOSTS',
  precondition_failed:
    'it was changed meanwhile: read it again, the details have its current_version',
  idempotency_mismatch: 'this Idempotency-Key was used for another request: take a new key',
  precondition_required: 'send the version that you have seen as If-Match',
  rate_limited: 'more requests in a minute than this user or key may make',
  too_many_attempts: 'too many wrong secrets from this address',
  headers_too_large: 'the headers are too large',
  internal: 'a bug: the log has it under the request id',
  draining: 'the vault is stopping: ask again soon',
  unavailable: 'the database does not answer: ask again, with the same Idempotency-Key',
  disk_full: "the vault's disk is full",
};

const { code, message, details, ...others } = ErrorObject.properties;

/** As that of every service, with words and examples of the vault. */
const VaultError = Type.Object(
  {
    code: { ...code, examples: ['not_found'] },
    message: { ...message, examples: ['there is no such agent'] },
    ...others,
    details: Type.Optional({
      ...details,
      description: 'a 400 names the `field`, a 412 the `current_version`',
      examples: [{ field: 'name' }],
    }),
  },
  { title: 'Error', description: 'what went wrong' },
);

export const failures: Failures = {
  envelope: { success: false },
  error: VaultError,
  kinds: { ...requestErrors, ...vaultErrors },
  meanings,
  details: { invalid_request: { field: 'name' }, precondition_failed: { current_version: 4 } },
  headers: { unauthorized: ['WWW-Authenticate'] },
};
