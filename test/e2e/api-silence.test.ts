// An API that accepts a request and then says nothing useful (AM-06): the CLI alone would wait for ever.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { hangReply, textReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

let gateway: ModelGateway;
beforeAll(async () => {
  gateway = await startModelGateway({ RUN_START_SECS: '20', RUN_IDLE_SECS: '1.5' });
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('a run ends as timeout_idle when the API goes silent', () => {
  // The CLI has said that it asks the model, so it has started: not timeout_start.
  it.each(['no_headers', 'headers', 'message_start', 'pings'] as const)('at: %s', async (at) => {
    const { status, body } = await gateway.ask(hangReply(at, 50));
    expect({ status, body }).toMatchObject({
      status: 504,
      body: { error: { code: 'timeout_idle', retryable: true } },
    });
    expect(await Promise.all(gateway.model.calls.map(({ closed }) => closed))).toEqual(['aborted']);
    expect((await gateway.audit('?limit=1'))[0]).toMatchObject({
      ...{ outcome: 'timeout_idle', details: { survivors: 0 } },
    });
    expect(await gateway.runDirectories()).toEqual([]);
  });
});

it('a slow answer that keeps coming is not cut', async () => {
  const text = 'word '.repeat(10);
  const { body } = await gateway.ask(textReply(text, { chunkChars: 5, chunkDelayMs: 200 }));
  expect(body).toMatchObject({ ok: true, result: text });
  expect(body.duration_ms).toBeGreaterThan(1500);
});

it('an answer that never ends is ended by timeout_secs', async () => {
  const endless = textReply('word '.repeat(1000), { chunkChars: 5, chunkDelayMs: 100 });
  const { status, body } = await gateway.ask(endless, { timeout_secs: 2 });
  expect({ status, body }).toMatchObject({
    status: 504,
    body: { error: { code: 'timeout_total', retryable: false } },
  });
});

it('a client that goes away takes its call to the API with it', async () => {
  const leave = new AbortController();
  const asked = Promise.withResolvers<void>();
  const answer = gateway.ask(
    (_request) => {
      asked.resolve();
      return textReply('word '.repeat(1000), { chunkChars: 5, chunkDelayMs: 100 });
    },
    {},
    leave.signal,
  );
  await asked.promise;
  leave.abort();
  await expect(answer).rejects.toThrow('aborted');
  expect(await gateway.model.calls[0]?.closed).toBe('aborted');
  expect((await gateway.ask(textReply('works'))).status).toBe(200);
  expect((await gateway.audit('?outcome=client_gone')).length).toBe(1);
});

it('a start that says nothing at all is timeout_start', async () => {
  await using hurried = await startModelGateway({ RUN_START_SECS: '0.02' });
  const { status, body } = await hurried.ask(textReply('too late'));
  expect({ status, code: body.error.code }).toEqual({ status: 504, code: 'timeout_start' });
});
