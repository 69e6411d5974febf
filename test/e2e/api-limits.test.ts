// Waits the API asks for are told to the caller and never waited out, whichever way the API words them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { errorReply, textReply } from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

/** Less than the shortest wait below, so that waiting it out fails the test. */
const timeoutSecs = 25;

function limited(headers: Record<string, string>): StubReply {
  return errorReply(429, 'slow down', { headers });
}

/** A used-up subscription window that opens again in `secs`. */
function windowUsedUp(secs: number): StubReply {
  return limited({
    'anthropic-ratelimit-unified-status': 'rejected',
    'anthropic-ratelimit-unified-representative-claim': 'five_hour',
    'anthropic-ratelimit-unified-reset': String(Math.ceil(Date.now() / 1000) + secs),
  });
}

/** Seconds the caller is told to wait, from an answer that is right in everything else. */
async function waitTold(gateway: ModelGateway, reply: StubReply): Promise<number> {
  const answer = await gateway.ask(reply, { timeout_secs: timeoutSecs });
  expect(answer).toMatchObject({
    ...{ status: 429, body: { error: { code: 'rate_limited', retryable: true } } },
  });
  expect(gateway.model.calls).toHaveLength(1);
  const told = Number(answer.headers.get('retry-after'));
  expect(told).toBe(answer.body.error.retry_after_secs);
  return told;
}

describe.each([
  ['an API key', {}],
  ['a subscription', { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' }],
])('with %s', (_name, env: Record<string, string>) => {
  let gateway: ModelGateway;
  beforeAll(async () => {
    gateway = await startModelGateway(env);
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  it.each([30, 90, 3600])(
    'a retry-after of %d s is told, and the next run may try',
    async (secs) => {
      const told = await waitTold(gateway, limited({ 'retry-after': String(secs) }));
      expect(told).toBeGreaterThanOrEqual(secs);
      // The CLI adds up to a quarter, so that not everybody comes back at once.
      expect(told).toBeLessThanOrEqual(secs * 1.25 + 1);
      expect((await gateway.ask(textReply('works'))).status).toBe(200);
    },
  );

  it('a used-up window is told with the time until it opens', async () => {
    // Of its own: it would park the queue of the others.
    await using own = await startModelGateway(env);
    const told = await waitTold(own, windowUsedUp(7200));
    expect(told).toBeGreaterThan(7200 - timeoutSecs);
    expect(told).toBeLessThanOrEqual(7201);
  });

  it('a limit that names no wait is tried again and then told', async () => {
    const { status, body } = await gateway.ask(limited({}));
    expect({ status, code: body.error.code }).toEqual({ status: 429, code: 'rate_limited' });
    expect(body.error.retry_after_secs).toBeGreaterThan(0);
    expect(gateway.model.calls.length).toBeLessThanOrEqual(3);
  });

  it.each([
    [529, 503, 'overloaded'],
    [503, 502, 'upstream_error'],
  ])('an error %d that asks to wait is not waited out', async (apiStatus, status, code) => {
    const reply = errorReply(apiStatus, 'later', { headers: { 'retry-after': '40' } });
    const answer = await gateway.ask(reply, { timeout_secs: timeoutSecs });
    expect(answer).toMatchObject({ status, body: { error: { code, retryable: true } } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(40);
    expect(gateway.model.calls).toHaveLength(1);
  });
});
