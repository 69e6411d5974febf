import { describe, expect, test } from 'vitest';

import { parseClaudeLine } from '../../gateway/claude/claude-events.ts';
import { createRunNarrator } from '../../gateway/events/run-narrator.ts';

const stream = (event: object) => ({ type: 'stream_event', event });
const start = (id: string) => stream({ type: 'message_start', message: { id } });
const delta = (text: string) =>
  stream({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } });
const stop = stream({ type: 'message_stop' });
const block = (id: string, ...content: object[]) => ({
  ...{ type: 'assistant', message: { id, model: 'claude-x', content } },
});
const text = (words: string) => ({ type: 'text', text: words });
const init = { type: 'system', subtype: 'init' };
const result = { type: 'result', subtype: 'success', is_error: false, result: 'x' };
const retry = {
  ...{ type: 'system', subtype: 'api_retry', error: 'unknown', error_status: null },
  retry_delay_ms: 586.4,
};
const user = (fields: object = {}) => ({
  ...{ type: 'user', isSynthetic: true, message: { role: 'user', content: 'go on' } },
  ...fields,
});

function narrate(...lines: object[]) {
  const narrator = createRunNarrator();
  return lines
    .flatMap((line) => narrator.narrate(parseClaudeLine(JSON.stringify(line))))
    .map(({ type, data }) => [type, data]);
}

const whole = (message: number, words: string) => [
  ...['message.completed', { message, text: words, model: 'claude-x' }],
];

describe('what a reader of a run is told', () => {
  test('is the text as it comes, then whole, each message with its number', () => {
    expect(
      narrate(
        ...[init, start('a'), delta('one '), block('a', text('one ')), delta('two')],
        ...[block('a', text('two')), stop, start('b'), delta('three'), block('b', text('three'))],
        ...[stop, result],
      ),
    ).toEqual([
      ['message.delta', { message: 1, text: 'one ' }],
      ['message.delta', { message: 1, text: 'two' }],
      whole(1, 'one two'),
      ['message.delta', { message: 2, text: 'three' }],
      whole(2, 'three'),
    ]);
  });

  test('takes text back that a broken stream had begun, when the CLI tries again', () => {
    const again = [start('b'), delta('whole'), block('b', text('whole')), stop, result];
    expect(narrate(init, start('a'), delta('half an ans'), stop, retry, ...again)).toEqual([
      ['message.delta', { message: 1, text: 'half an ans' }],
      ['retry', { reason: 'unknown', status: null, delay_ms: 586, superseded: [1] }],
      ['message.delta', { message: 2, text: 'whole' }],
      whole(2, 'whole'),
    ]);
  });

  test('takes it back also when the CLI tries again without a word', () => {
    const again = [start('b'), delta('whole'), block('b', text('whole')), stop];
    expect(narrate(init, start('a'), delta('half'), ...again)[1]).toEqual([
      ...['retry', { reason: 'stream_restarted', status: null, delay_ms: 0, superseded: [1] }],
    ]);
  });

  test('takes nothing back before there was any text', () => {
    expect(narrate(init, start('a'), retry, start('b'))).toEqual([
      ['retry', { reason: 'unknown', status: null, delay_ms: 586, superseded: [] }],
    ]);
  });

  test('keeps a message that an automatic continuation goes on from', () => {
    const first = [start('a'), delta('part one '), block('a', text('part one ')), stop];
    const second = [start('b'), delta('part two'), block('b', text('part two')), stop];
    expect(narrate(init, ...first, user(), ...second).map(([type]) => type)).toEqual([
      ...['message.delta', 'message.completed', 'message.delta', 'message.completed'],
    ]);
  });

  test('takes a whole message back that the model was made to refuse', () => {
    const refused = [start('a'), delta('I will'), block('a', text('I will')), stop];
    expect(narrate(init, ...refused, user({ refused_message_id: 'a' })).at(-1)).toEqual([
      ...['retry', { reason: 'refused', status: null, delay_ms: 0, superseded: [1] }],
    ]);
  });

  test('names the tools that are used and how they ended', () => {
    const use = { type: 'tool_use', id: 'toolu_1', name: 'Read', input: {} };
    const content = [{ type: 'tool_result', tool_use_id: 'toolu_1', is_error: true }];
    const answered = { type: 'user', message: { role: 'user', content } };
    expect(narrate(init, start('a'), block('a', use), stop, answered)).toEqual([
      ['tool.started', { message: 1, tool_use_id: 'toolu_1', name: 'Read' }],
      ['tool.finished', { tool_use_id: 'toolu_1', is_error: true }],
    ]);
  });

  test('is when a limit of the subscription changes', () => {
    const rate_limit_info = { status: 'allowed_warning', resetsAt: 1_795_247_144 };
    expect(narrate({ type: 'rate_limit_event', rate_limit_info })).toEqual([
      ['limit.updated', { status: 'allowed_warning', resets_at: '2026-11-21T07:45:44.000Z' }],
    ]);
    const info = { status: 'rejected', rateLimitType: 'five_hour' };
    expect(narrate({ type: 'rate_limit_event', rate_limit_info: info })).toEqual([
      ['limit.updated', { status: 'rejected', resets_at: null, window: 'five_hour' }],
    ]);
  });

  test('is whole also where no stream was seen', () => {
    const lines = [block('a', text('one')), block('a', text(' two')), block('b', text('three'))];
    expect(narrate(init, ...lines, result)).toEqual([whole(1, 'one two'), whole(2, 'three')]);
  });

  test('holds nothing of what the CLI says of itself', () => {
    const failure = {
      ...block('x', text('API Error: 500')),
      ...{ error: 'server_error', is_api_error_message: true },
    };
    expect(narrate(init, failure, stop, result)).toEqual([]);
  });
});
