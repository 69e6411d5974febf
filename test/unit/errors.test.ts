import { expect, test } from 'vitest';

import { AppError, requestError, requestErrors } from '#shared/errors.ts';

test('the table has the codes, statuses and retry advice of the contract', () => {
  const table = Object.values(requestErrors).map(
    ({ code, statusCode, retryable }) => `${code} ${statusCode}${retryable ? ' retry' : ''}`,
  );
  expect(table).toEqual([
    'invalid_request 400',
    'unauthorized 401',
    'forbidden 403',
    'not_found 404',
    'method_not_allowed 405',
    'request_timeout 408 retry',
    'conflict 409',
    'gone 410',
    'payload_too_large 413',
    'unsupported_media_type 415',
    'wrong_host 421',
    'idempotency_mismatch 422',
    'app_busy 429 retry',
    'queue_full 429 retry',
    'too_many_attempts 429 retry',
    'headers_too_large 431',
    'internal 500',
    'draining 503 retry',
  ]);
});

test.each(Object.entries(requestErrors))('%s is filed under its own code', (key, { code }) => {
  expect(code).toBe(key);
});

test('an error carries what its answer needs and its cause', () => {
  const cause = new Error('below');
  const error = requestError('queue_full', 'the queue is full', {
    retryAfterSecs: 3,
    details: { field: 'prompt' },
    runId: 'run_1',
    cause,
  });
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({
    code: 'queue_full',
    statusCode: 429,
    retryable: true,
    retryAfterSecs: 3,
    details: { field: 'prompt' },
    runId: 'run_1',
    cause,
  });
});
