import { describe, expect, test } from 'vitest';

import { requestErrors } from '#shared/errors.ts';
import {
  badAnswer,
  errorOfAnswer,
  GatewayError,
  isWorthRepeating,
  noAnswer,
  unreachable,
} from '#shared/gateway-client-error.ts';

import { outcomes } from '../../gateway/runs/outcome.ts';

function answered(code: string, kind: { statusCode: number; retryable: boolean }, runId?: string) {
  const error = { code, message: 'it is so', retryable: kind.retryable };
  const body = { ok: false, error, request_id: 'req_1', run_id: runId };
  return errorOfAnswer(kind.statusCode, {}, JSON.stringify(body));
}

describe('the error of an answer', () => {
  test('has all that the gateway said', () => {
    const error = {
      ...{ code: 'queue_full', message: 'it is full', retryable: true, retry_after_secs: 7 },
      ...{ details: { field: 'x' }, mood: 'good' },
    };
    const text = JSON.stringify({ ok: false, error, request_id: 'req_1', run_id: 'run_1' });
    expect(errorOfAnswer(429, { 'retry-after': '9' }, text)).toMatchObject({
      ...{ name: 'GatewayError', code: 'queue_full', message: 'it is full', status: 429 },
      ...{ retryable: true, retryAfterSecs: 7, requestId: 'req_1', runId: 'run_1' },
      details: { field: 'x' },
    });
  });

  test('takes Retry-After where the body does not say it', () => {
    expect(errorOfAnswer(503, { 'retry-after': '9' }, 'busy').retryAfterSecs).toBe(9);
    const date = { 'retry-after': 'Fri, 27 Nov 2026 12:00:00 GMT' };
    expect(errorOfAnswer(503, date, 'busy').retryAfterSecs).toBeUndefined();
  });
});

describe('the same request is worth sending again', () => {
  const again = ['request_timeout', 'app_busy', 'queue_full', 'too_many_attempts', 'draining'];

  test.each(Object.entries(requestErrors))('after %s only if it may pass', (code, kind) => {
    expect(isWorthRepeating(answered(code, kind))).toBe(again.includes(code));
  });

  test.each(Object.entries(outcomes))('never after a run has ended, with %s', (code, kind) => {
    expect(isWorthRepeating(answered(code, kind, 'run_1'))).toBe(false);
  });

  test('when the gateway stops while the run waits', () => {
    expect(isWorthRepeating(answered('draining', requestErrors.draining, 'run_1'))).toBe(true);
  });

  test('when there was no answer', () => {
    expect(isWorthRepeating(unreachable(new Error('reset')))).toBe(true);
    expect(isWorthRepeating(noAnswer(30_000))).toBe(true);
  });

  test('not when something else answered, unless a proxy finds nobody', () => {
    expect(isWorthRepeating(badAnswer('it is no JSON', 200))).toBe(false);
    expect(
      [404, 500, 502, 503, 504].map((status) => errorOfAnswer(status, {}, 'x').retryable),
    ).toEqual([false, false, true, true, true]);
  });

  test('not after an error of another kind', () => {
    expect(isWorthRepeating(new Error('a bug'))).toBe(false);
    expect(isWorthRepeating(null)).toBe(false);
  });
});

test('a failed connection says why, also where Node only gives a code', () => {
  const refused = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(unreachable(refused).message).toBe('The connection to the gateway failed: ECONNREFUSED.');
  expect(unreachable(null)).toBeInstanceOf(GatewayError);
});
