// How the gateway fails: what each error code tells a reader, and the form of it.
import { Type } from 'typebox';

import type { Failures } from '#shared/api-document/document-parts.ts';
import { requestErrors } from '#shared/errors.ts';
import type { RequestErrorCode } from '#shared/errors.ts';

import { outcomes } from '../runs/outcome.ts';
import type { FailedOutcome } from '../runs/outcome.ts';

export type ErrorCode = RequestErrorCode | FailedOutcome;

const meanings: Readonly<Record<ErrorCode, string>> = {
  invalid_request: 'the request is wrong: the message says how, the details where',
  unauthorized: 'a valid token is needed: Authorization: Bearer <token>',
  forbidden: 'this address, origin or kind of token may not',
  not_found: 'there is nothing of this name, or it is not yours',
  method_not_allowed: 'the path answers to other methods: see the header Allow',
  request_timeout: 'the request itself did not arrive in time',
  conflict: 'it is taken, under way or over already: the message says which',
  gone: 'the events after this Last-Event-ID cannot be replayed: read the run from its beginning',
  payload_too_large: 'over the size limit or the quota that the message names',
  unsupported_media_type: 'send what the route takes, in UTF-8 and not compressed',
  wrong_host: 'the Host header names another host: see ALLOWED_HOSTS',
  idempotency_mismatch: 'this Idempotency-Key was used for another request: take a new key',
  app_busy: 'this app has too many runs waiting, streams or sessions',
  queue_full: 'the whole queue is full',
  too_many_attempts: 'too many wrong tokens from this address',
  headers_too_large: 'the headers are too large',
  internal: 'a bug: the log has it under the request id',
  draining: 'the gateway is stopping: ask again soon',
  refused: 'the model refused to answer',
  max_turns: 'max_turns used up',
  max_output_tokens: 'the answer is longer than the model may write',
  budget: 'max_budget_usd used up',
  schema_invalid: 'the answer did not fit json_schema',
  prompt_too_long: 'more text than the model takes',
  model_unavailable: 'there is no such model for this credential',
  empty: 'the model said nothing',
  crashed: 'claude ended without a whole answer',
  upstream_error: 'the API failed',
  output_too_large: 'the run wrote more than RUN_OUTPUT_LIMIT_MB',
  rate_limited: 'the API or the subscription says wait',
  overloaded: 'the API is overloaded',
  auth: 'not signed in: the message says what the operator has to run',
  billing: 'the API refuses for billing reasons',
  cli_missing: 'there is no claude on the gateway',
  spawn_failed: 'the run could not be started',
  interrupted: 'the gateway stopped before the run was done',
  timeout_start: 'claude gave no sign of life',
  timeout_idle: 'claude went silent in the middle',
  timeout_total: 'timeout_secs were over',
  cancelled: 'the run was cancelled',
  client_gone: 'the client hung up',
  disk_full: "the gateway's disk is nearly full, or the run used up its share",
};

export const failures: Failures = {
  envelope: { ok: false },
  fields: {
    run_id: Type.Optional(
      Type.String({
        description: 'once there was a run',
        examples: ['run_01m7yjjfcksfhngdhy16rrxw3j'],
      }),
    ),
  },
  kinds: { ...requestErrors, ...outcomes },
  meanings,
  details: { invalid_request: { field: 'prompt' } },
  headers: { unauthorized: ['WWW-Authenticate'] },
};

/** What a run that is waited for may end as; nobody is there to be told of `client_gone`. */
export const failedOutcomes = Object.keys(outcomes).filter(isToldOutcome);

function isToldOutcome(name: string): name is FailedOutcome {
  return name !== 'completed' && name !== 'client_gone';
}
