// Streams of runs of the pinned CLI in its sandbox, with an API that behaves and with one that does not (AM-01, AM-07).
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { cutReply, errorReply, structuredReply, textReply } from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
import { readEvents } from '../support/event-reader.ts';
import type { SeenEvent } from '../support/event-reader.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

let gateway: ModelGateway;
let token: string;
beforeAll(async () => {
  gateway = await startModelGateway();
  token = await gateway.mint('reader');
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function streamOf(replies: StubReply[], request: object = {}): Promise<SeenEvent[]> {
  gateway.answerWith(
    (_request, index) => replies[Math.min(index, replies.length - 1)] as StubReply,
  );
  const body = JSON.stringify({ prompt: 'hello', ...request });
  await using reader = await readEvents(`${gateway.url}/run`, token, { method: 'POST', body });
  await reader.ended;
  return reader.events;
}

const typesOf = (events: SeenEvent[]): string[] => events.map(({ type }) => type);

/** What somebody has on the screen who shows the text as it comes and obeys `superseded`. */
function shown(events: SeenEvent[]): string {
  const messages = new Map<number, string>();
  for (const { type, data } of events) {
    if (type === 'message.delta') {
      messages.set(data.message, (messages.get(data.message) ?? '') + data.text);
    }
    if (type === 'retry') for (const message of data.superseded) messages.delete(message);
  }
  return [...messages.values()].join('');
}

test('text comes in pieces while the model speaks, then whole, then the answer', async () => {
  const text = 'A gatehouse guards, lodges and welcomes. '.repeat(12).trim();
  const events = await streamOf([textReply(text, { chunkChars: 40, chunkDelayMs: 50 })]);
  expect(events.map(({ id }) => id)).toEqual(events.map((_event, index) => index + 1));
  expect(typesOf(events).filter((type) => type === 'message.delta').length).toBeGreaterThan(2);
  expect(shown(events)).toBe(text);
  expect(events.find(({ type }) => type === 'message.completed')?.data.text).toBe(text);
  expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { ok: true, result: text } });
});

describe('an API that breaks a stream off and is good at the second try', () => {
  test.each([
    ['by a reset', cutReply('reset', 'half an ans', 200)],
    ['by its end', cutReply('end', 'half an ans')],
  ])('%s: one answer, and the half that was shown is taken back', async (_how, broken) => {
    const events = await streamOf([broken, textReply('the whole answer')]);
    const retries = events.filter(({ type }) => type === 'retry');
    expect(retries.map(({ data }) => data.superseded)).toEqual([[1]]);
    expect(shown(events)).toBe('the whole answer');
    expect(typesOf(events).filter((type) => type === 'message.completed')).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ data: { ok: true, result: 'the whole answer' } });
  });
});

test('an API that is always overloaded: the stream shows the tries and ends with the reason', async () => {
  const events = await streamOf([errorReply(529)], { timeout_secs: 60 });
  const retries = events.filter(({ type }) => type === 'retry');
  expect(retries.length).toBeGreaterThanOrEqual(2);
  for (const { data } of retries) expect(data).toMatchObject({ status: 529, superseded: [] });
  const error = { code: 'overloaded', retryable: true, retry_after_secs: expect.any(Number) };
  expect(events.at(-1)).toMatchObject({ type: 'run.failed', data: { ok: false, error } });
});

test('two answers that belong together are both shown, and joined in the result', async () => {
  const events = await streamOf([
    ...[textReply('part one, ', { stopReason: 'max_tokens' }), textReply('part two')],
  ]);
  expect(shown(events)).toBe('part one, part two');
  expect(events.at(-1)?.data.result).toBe('part one, part two');
});

test('a structured answer is shown as the tool it is', async () => {
  const json_schema = { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] };
  const events = await streamOf([structuredReply({ a: 1 })], { json_schema });
  expect(events.find(({ type }) => type === 'tool.started')?.data).toMatchObject({
    ...{ message: 1, name: 'StructuredOutput' },
  });
  expect(events.at(-1)).toMatchObject({ type: 'run.completed', data: { result: { a: 1 } } });
});
