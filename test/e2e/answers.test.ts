// From what the model says to the `result` of contract.md, through the pinned CLI in its sandbox.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { messageReply, structuredReply, textReply } from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

let gateway: ModelGateway;
beforeAll(async () => {
  gateway = await startModelGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('the result is', () => {
  it.each<[name: string, texts: string[], result: unknown]>([
    ['all text blocks of the last turn', ['one ', 'two'], 'one two'],
    ['the object in a single fence', ['```json\n{"a":[1]}\n```'], { a: [1] }],
    [
      'prose around a fence as it is',
      ['So:\n```json\n{}\n```\nDone.'],
      'So:\n```json\n{}\n```\nDone.',
    ],
    ['a number as text', ['42'], '42'],
    ['every character', ['👩‍👩‍👧 שלום\u2028\r\0😀 “”'.replace('\0', '\t')], '👩‍👩‍👧 שלום\u2028\r\t😀 “”'],
  ])('%s', async (_name, texts, result) => {
    const { status, body } = await gateway.ask(textReply(texts, { chunkChars: 3 }));
    expect({ status, result: body.result }).toEqual({ status: 200, result });
  });

  it('the parts of an answer that was automatically continued', async () => {
    const { body } = await gateway.ask((_request, index) =>
      index === 0 ? textReply('begun and ', { stopReason: 'max_tokens' }) : textReply('ended'),
    );
    expect(body).toMatchObject({ ok: true, result: 'begun and ended', stop_reason: 'end_turn' });
    expect(gateway.model.calls).toHaveLength(2);
  });

  it('large, whole and exact', async () => {
    const text = 'ä😀 "quoted" \\ line\n'.repeat(40_000);
    const { body } = await gateway.ask(textReply(text));
    expect(body.result === text).toBe(true);
  });
});

it('an answer tells the model that gave it, what was used and what it cost', async () => {
  const reply = textReply('ok', { usage: { input_tokens: 11, output_tokens: 7 } });
  const { body } = await gateway.ask(reply, { model: 'haiku', effort: 'low' });
  expect(body).toEqual({
    ...{ ok: true, run_id: expect.stringMatching(/^run_/), result: 'ok', stop_reason: 'end_turn' },
    ...{ model: expect.stringContaining('haiku'), duration_ms: expect.any(Number) },
    cost_usd: expect.any(Number),
    usage: {
      ...{ input_tokens: 11, output_tokens: 7 },
      ...{ cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
    },
  });
  expect(body.cost_usd).toBeGreaterThan(0);
});

const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};

describe('with json_schema', () => {
  it('the validated object is the result', async () => {
    const { body } = await gateway.ask(structuredReply({ a: 'x' }), { json_schema: schema });
    expect(body).toMatchObject({ ok: true, result: { a: 'x' } });
  });

  it('a first try that does not fit is given back to the model', async () => {
    const { body } = await gateway.ask(
      (_request, index) => structuredReply(index === 0 ? { b: 1 } : { a: 'y' }),
      { json_schema: schema },
    );
    expect(body).toMatchObject({ ok: true, result: { a: 'y' } });
  });

  it.each<[name: string, reply: StubReply]>([
    ['an object that never fits', structuredReply({ b: 1 })],
    ['prose', textReply('no object here')],
  ])('%s is schema_invalid', async (_name, reply) => {
    const { status, body } = await gateway.ask(reply, { json_schema: schema });
    expect({ status, body }).toMatchObject({
      status: 422,
      body: { error: { code: 'schema_invalid', retryable: true } },
    });
  });
});

describe('no success is claimed for', () => {
  const toolUse = messageReply([{ type: 'tool_use', name: 'StructuredOutput', input: { b: 1 } }]);
  const expensive = { usage: { input_tokens: 100_000, output_tokens: 100_000 } };
  it.each<[outcome: string, status: number, reply: StubReply, request: Record<string, unknown>]>([
    ['empty', 502, textReply([]), {}],
    ['empty', 502, textReply([' \n']), {}],
    ['refused', 422, textReply('I will not.', { stopReason: 'refusal' }), {}],
    ['max_output_tokens', 422, textReply('on and on ', { stopReason: 'max_tokens' }), {}],
    ['max_turns', 422, toolUse, { max_turns: 1, json_schema: schema }],
    ['budget', 422, textReply('dear', expensive), { max_budget_usd: 0.001 }],
  ])('%s (%d)', async (outcome, status, reply, request) => {
    const answer = await gateway.ask(reply, request);
    expect(answer).toMatchObject({ status, body: { ok: false, error: { code: outcome } } });
    expect(answer.body).not.toHaveProperty('result');
  });
});
