import { describe, expect, test } from 'vitest';

import { parseClaudeLine } from '../../gateway/claude/claude-events.ts';
import { createTranscriber, finalText } from '../../gateway/claude/transcript.ts';
import type { Transcript } from '../../gateway/claude/transcript.ts';

const init = { type: 'system', subtype: 'init', model: 'claude-x' };
const said = (id: string, text: string, model = 'claude-x') => ({
  type: 'assistant',
  message: { id, model, content: [{ type: 'text', text }] },
});
const continuation = {
  type: 'user',
  isSynthetic: true,
  message: { role: 'user', content: 'go on' },
};
const toolAnswer = {
  type: 'user',
  message: { role: 'user', content: [{ type: 'tool_result', content: 'x' }] },
};
const result = (text: string) => ({
  ...{ type: 'result', subtype: 'success', is_error: false, result: text },
});
const failure = (error: string) => ({
  ...said('msg_error', 'API Error', '<synthetic>'),
  ...{ error, is_api_error_message: true },
});
const limit = (status: string) => ({
  type: 'rate_limit_event',
  rate_limit_info: { status, resetsAt: 1_795_247_144 },
});
const control = (request_id: string, error?: string) => ({
  type: 'control_response',
  response: { subtype: error === undefined ? 'success' : 'error', request_id, error },
});

function transcribe(...lines: object[]): Transcript {
  const transcriber = createTranscriber();
  for (const line of lines) transcriber.add(parseClaudeLine(JSON.stringify(line)));
  return transcriber.transcript;
}

describe('the final text', () => {
  test.each<[name: string, lines: object[], text: string]>([
    [
      'joins the blocks of one message',
      [init, said('a', 'one '), said('a', 'two'), result('two')],
      'one two',
    ],
    [
      'joins an automatic continuation',
      [init, said('a', 'part one '), continuation, said('b', 'part two'), result('part two')],
      'part one part two',
    ],
    [
      'joins continuations of several blocks',
      [
        init,
        said('a', '1'),
        said('a', '2'),
        continuation,
        said('b', '3'),
        continuation,
        said('c', '4'),
        said('c', '5'),
      ],
      '12345',
    ],
    [
      'drops what a refused message had begun',
      [
        init,
        said('a', 'I will beg'),
        { ...continuation, refused_message_id: 'a' },
        said('b', 'Something else.'),
      ],
      'Something else.',
    ],
    [
      'keeps the part before a refused continuation',
      [
        ...[init, said('a', 'part one '), continuation, said('b', 'I will beg')],
        ...[{ ...continuation, refused_message_id: 'b' }, said('c', 'part two')],
      ],
      'part one part two',
    ],
    [
      'takes the second try, not both',
      [init, said('a', 'half an ans'), said('b', 'whole')],
      'whole',
    ],
    [
      'takes the second try of a continuation, not both',
      [init, said('a', 'one '), continuation, said('b', 'half'), said('c', 'two')],
      'one two',
    ],
    [
      'is what was said after the last tool answer',
      [init, said('a', 'Let me look.'), toolAnswer, said('b', 'It is 7.')],
      'It is 7.',
    ],
    [
      'is that of the last turn',
      [init, said('a', 'first'), result('first'), init, said('b', 'second'), result('second')],
      'second',
    ],
    [
      'is the text of the result when no message was seen',
      [init, result('only here')],
      'only here',
    ],
    ['is empty when nothing was said', [init], ''],
    [
      'never holds the words of an error',
      [init, said('a', 'an answer'), failure('rate_limit')],
      'an answer',
    ],
  ])('%s', (_name, lines, text) => {
    expect(finalText(transcribe(...lines))).toBe(text);
  });
});

describe('what the verdict needs', () => {
  test('is the model that answered last, not the CLI itself', () => {
    const lines = [said('a', 'x', 'claude-a'), said('b', 'y', 'claude-b'), failure('rate_limit')];
    expect(transcribe(init, ...lines).model).toBe('claude-b');
  });

  test('is the error the CLI ended with, unless the model answered after it', () => {
    expect(transcribe(init, failure('rate_limit')).failure).toBe('rate_limit');
    expect(transcribe(init, failure('rate_limit'), said('a', 'fine')).failure).toBeNull();
    const bare = said('a', 'API Error', '<synthetic>');
    expect(transcribe(init, bare).failure).toBe('unknown');
  });

  test('is the last of several results, and their number', () => {
    const { result: last, resultCount } = transcribe(init, result('1'), init, result('2'));
    expect({ text: last?.result, resultCount }).toEqual({ text: '2', resultCount: 2 });
  });

  test('is how often and how long the CLI wanted to wait', () => {
    const retry = { type: 'system', subtype: 'api_retry', error_status: 429, error: 'rate_limit' };
    const lines = [3112, 3513].map((retry_delay_ms) => ({ ...retry, retry_delay_ms }));
    expect(transcribe(init, ...lines)).toMatchObject({ retryCount: 2, lastRetryDelayMs: 3513 });
  });

  test.each([
    [1_795_247_144, 1_795_247_144_000],
    [1_795_247_144.4, 1_795_247_144_400],
    [1_795_247_144_000, 1_795_247_144_000],
    [null, null],
  ])('takes the reset of a window in seconds or milliseconds: %s', (resetsAt, expected) => {
    const rate_limit_info = { status: 'rejected', resetsAt };
    const { limitResetsAt } = transcribe(init, { type: 'rate_limit_event', rate_limit_info });
    expect(limitResetsAt).toBe(expected);
  });

  test('is when a window opens that refused the run, not one that let it pass', () => {
    expect(transcribe(init, limit('allowed_warning')).limitResetsAt).toBeNull();
    expect(transcribe(init, limit('rejected')).limitResetsAt).toBe(1_795_247_144_000);
  });

  test('is the first control request that was refused', () => {
    const { refusedControl } = transcribe(control('a'), control('b', 'bad'), control('c', 'bad'));
    expect(refusedControl).toEqual({ requestId: 'b', error: 'bad' });
  });
});

describe('a line that is not of the protocol', () => {
  test.each([
    '',
    'words',
    '}{',
    'null',
    '[1]',
    '"x"',
    '{}',
    '{"type":42}',
    '{"type":"result"}',
    '{"type":"assistant"}',
  ])('is garbage and says nothing: %s', (text) => {
    expect(parseClaudeLine(text)).toEqual({ type: 'garbage' });
  });

  test('is counted', () => {
    const transcriber = createTranscriber();
    transcriber.add(parseClaudeLine('not json'));
    expect(transcriber.transcript.garbageLines).toBe(1);
  });

  test.each([
    { type: 'something_new', value: 1 },
    { type: 'system', subtype: 'something_new' },
    { type: 'stream_event', event: { type: 'ping' } },
    { type: 'rate_limit_event' },
  ])('is a sign of life when only its kind is not known: %j', (line) => {
    expect(parseClaudeLine(JSON.stringify(line))).toEqual({ type: 'progress' });
  });
});
