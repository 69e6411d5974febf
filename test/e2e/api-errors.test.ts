// What callers are told when the API answers with an error, through the pinned CLI in its sandbox.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { cutReply, errorReply, textReply } from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

let gateway: ModelGateway;
beforeAll(async () => {
  gateway = await startModelGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

type Case = {
  reply: StubReply;
  request?: Record<string, unknown>;
  status: number;
  code: string;
  retryable: boolean;
  /** Calls that may reach the API. */
  calls: number;
};

const tooLong = 'prompt is too long: 250000 tokens > 200000 maximum';
const noCredit = 'Your credit balance is too low to access the Anthropic API.';

const cases: Record<string, Case> = {
  'an API that is always overloaded (529)': {
    ...{ reply: errorReply(529), status: 503, code: 'overloaded', retryable: true, calls: 3 },
  },
  'an API that always fails (500)': {
    ...{ reply: errorReply(500), status: 502, code: 'upstream_error', retryable: true, calls: 3 },
  },
  'a stream that ends in an overload': {
    ...{ reply: cutReply('error_event'), status: 503, code: 'overloaded', retryable: true },
    calls: 3,
  },
  'a stream that is always cut': {
    ...{ reply: cutReply('reset'), status: 502, code: 'upstream_error', retryable: true, calls: 5 },
  },
  'a credit balance that is too low': {
    ...{ reply: errorReply(400, noCredit), status: 503, code: 'billing', retryable: false },
    calls: 1,
  },
  'a model that does not exist': {
    ...{ reply: errorReply(404, 'model: claude-no-such'), request: { model: 'claude-no-such' } },
    ...{ status: 422, code: 'model_unavailable', retryable: false, calls: 2 },
  },
  'a prompt the API finds too long': {
    ...{ reply: errorReply(400, tooLong), status: 422, code: 'prompt_too_long', retryable: false },
    calls: 1,
  },
  'a prompt of 3 MB': {
    ...{ reply: textReply('ok'), request: { prompt: 'word '.repeat(600 * 2 ** 10) } },
    ...{ status: 422, code: 'prompt_too_long', retryable: false, calls: 0 },
  },
};

describe('a run ends with its own outcome, after few calls, for', () => {
  it.each(Object.entries(cases))('%s', async (_name, expected) => {
    const { status, body, headers } = await gateway.ask(expected.reply, expected.request);
    const { code, retryable } = expected;
    expect({ status, body }).toMatchObject({
      status: expected.status,
      body: { ok: false, error: { code, retryable }, run_id: expect.stringMatching(/^run_/) },
    });
    expect(headers.get('retry-after')).toBe(body.error.retry_after_secs?.toString() ?? null);
    expect(gateway.model.calls.length).toBeLessThanOrEqual(expected.calls);
    expect((await gateway.audit('?limit=1'))[0]).toMatchObject({
      ...{
        outcome: code,
        run_id: body.run_id,
        details: { sandbox: expect.stringMatching(/^bwrap/), survivors: 0 },
      },
    });
    expect(await gateway.runDirectories()).toEqual([]);
  });
});

it('says nothing of the machine, the API or the CLI in an error', async () => {
  for (const status of [400, 404]) {
    const { text } = await gateway.ask(errorReply(status, 'message-of-the-api'));
    expect(text).not.toMatch(/message-of-the-api|127\.0\.0\.1|\/tmp|API Error|--model/);
  }
});

it('goes on after a model that does not exist', async () => {
  await gateway.ask(errorReply(404), { model: 'claude-no-such' });
  const { status, body } = await gateway.ask(textReply('works'));
  expect({ status, result: body.result }).toEqual({ status: 200, result: 'works' });
});

it('answers with the second try of a stream that was cut, told once', async () => {
  const { body } = await gateway.ask((_request, index) =>
    index === 0 ? cutReply('reset', 'half an ans') : textReply('a whole answer'),
  );
  expect(body).toMatchObject({ ok: true, result: 'a whole answer' });
});

it('answers once an overload is over', async () => {
  const { body } = await gateway.ask((_request, index) =>
    index < 2 ? errorReply(529) : textReply('at last'),
  );
  expect(body).toMatchObject({ ok: true, result: 'at last' });
});
