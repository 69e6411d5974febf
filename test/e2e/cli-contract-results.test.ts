// What the pinned CLI says when a turn ends, well or badly: the verdict is built on these fields.
import { describe, expect, it } from 'vitest';

import {
  cutReply,
  errorReply,
  structuredReply,
  textReply,
  toolReply,
} from '../../cli/model-stub-reply.ts';
import type { StubReply } from '../../cli/model-stub-reply.ts';
import { converse, say } from '../support/claude-conversation.ts';
import type { Line } from '../support/claude-conversation.ts';

type Fault = {
  reply?: StubReply | StubReply[];
  flags?: string[];
  jsonSchema?: object;
  env?: Record<string, string | undefined>;
  baseUrl?: string;
  calls: number;
  code: number;
  result: Line;
  /** `error` of the last assistant line: the CLI's own word for the fault. */
  error?: string;
};

const apiError = { subtype: 'success', is_error: true, terminal_reason: 'api_error' };
const oauth = { ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };
const noFallback = { CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK: '1' };
const resetAt = 4_000_000_000;
const rejected = {
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-reset': String(resetAt),
  'anthropic-ratelimit-unified-representative-claim': 'five_hour',
};
const jsonSchema = { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] };
const completed = { subtype: 'success', is_error: false, terminal_reason: 'completed' };

const faults: Record<string, Fault> = {
  'an answer': {
    reply: textReply('Hello.', { pings: 3 }),
    ...{ calls: 1, code: 0 },
    result: { ...completed, result: 'Hello.', num_turns: 1, stop_reason: 'end_turn' },
  },
  'two text blocks, of which only the last is the result': {
    reply: textReply(['First.', 'Second.']),
    ...{ calls: 1, code: 0 },
    result: { ...completed, result: 'Second.' },
  },
  'a wrong key': {
    reply: errorReply(401),
    ...{ calls: 1, code: 1, error: 'authentication_failed' },
    result: { ...apiError, api_error_status: 401, api_error_type: 'authentication_error' },
  },
  'an expired login, asked for again once': {
    reply: errorReply(401),
    env: oauth,
    ...{ calls: 2, code: 1, error: 'authentication_failed' },
    result: { ...apiError, api_error_status: 401 },
  },
  'no login at all': {
    env: { ANTHROPIC_API_KEY: undefined },
    ...{ calls: 0, code: 1, error: 'authentication_failed' },
    result: { ...apiError, api_error_status: null, result: 'Not logged in · Please run /login' },
  },
  'a forbidden key': {
    reply: errorReply(403),
    ...{ calls: 1, code: 1, error: 'authentication_failed' },
    result: { ...apiError, api_error_status: 403 },
  },
  'an unknown model, asked for again without streaming': {
    reply: errorReply(404),
    ...{ calls: 2, code: 1, error: 'model_not_found' },
    result: { ...apiError, api_error_status: 404 },
  },
  'an empty purse': {
    reply: errorReply(400, 'Your credit balance is too low to access the Anthropic API.'),
    ...{ calls: 1, code: 1, error: 'billing_error' },
    result: { ...apiError, api_error_status: 400, result: 'Credit balance is too low' },
  },
  'a prompt too long for the API': {
    reply: errorReply(400, 'prompt is too long: 250000 tokens > 200000 maximum'),
    ...{ calls: 1, code: 1, error: 'invalid_request' },
    result: { ...apiError, terminal_reason: 'prompt_too_long', api_error_status: 400 },
  },
  'a body too large for the API': {
    reply: errorReply(413),
    ...{ calls: 1, code: 1, error: 'invalid_request' },
    result: { ...apiError, terminal_reason: 'image_error', api_error_status: 413 },
  },
  'any other 400, after other shapes of the request': {
    reply: errorReply(400),
    ...{ calls: 3, code: 1, error: 'unknown' },
    result: { ...apiError, api_error_status: 400 },
  },
  'a rate limit': {
    reply: errorReply(429, 'slow down', { headers: { 'retry-after': '30' } }),
    ...{ calls: 1, code: 1, error: 'rate_limit' },
    result: { ...apiError, api_error_status: 429, api_error_type: 'rate_limit_error' },
  },
  'a used-up subscription': {
    reply: errorReply(429, 'limit', { headers: rejected }),
    env: { ...oauth, CLAUDE_CODE_MAX_RETRIES: '2' },
    ...{ calls: 1, code: 1, error: 'rate_limit' },
    result: { ...apiError, api_error_status: 429, api_error: 'usage_limit_reached' },
  },
  'an overloaded API, never more than three calls': {
    reply: errorReply(529),
    env: { CLAUDE_CODE_MAX_RETRIES: '5' },
    ...{ calls: 3, code: 1, error: 'server_error' },
    result: { ...apiError, api_error_status: 529, api_error_type: 'overloaded_error' },
  },
  'a broken API': {
    reply: errorReply(500),
    ...{ calls: 1, code: 1, error: 'server_error' },
    result: { ...apiError, api_error_status: 500 },
  },
  'nobody listening': {
    baseUrl: 'http://127.0.0.1:9',
    ...{ calls: 0, code: 1, error: 'server_error' },
    result: { ...apiError, api_error_status: null, api_error: 'connection_failed' },
  },
  'a stream cut by a reset': {
    reply: cutReply('reset'),
    env: noFallback,
    ...{ calls: 1, code: 1, error: 'server_error' },
    result: { ...apiError, api_error_status: null, api_error: 'connection_failed' },
  },
  'a stream that just ends': {
    reply: cutReply('end'),
    env: noFallback,
    ...{ calls: 1, code: 1, error: 'server_error' },
    result: { ...apiError, api_error_status: null, api_error: 'connection_failed' },
  },
  'a cut stream, then a whole one': {
    reply: [cutReply('end', 'half an ans'), textReply('whole')],
    env: { CLAUDE_CODE_MAX_RETRIES: '2' },
    ...{ calls: 2, code: 0 },
    result: { ...completed, result: 'whole' },
  },
  'an error event in the stream': {
    reply: cutReply('error_event'),
    env: noFallback,
    ...{ calls: 1, code: 1, error: 'unknown' },
    result: { ...apiError, api_error_status: 529, api_error_type: 'overloaded_error' },
  },
  'a refusal, asked about once': {
    reply: textReply('I will not.', { stopReason: 'refusal' }),
    ...{ calls: 2, code: 1, error: 'invalid_request' },
    result: { ...apiError, stop_reason: 'refusal', api_error_status: null },
  },
  'too much output, after three continuations': {
    reply: textReply('and so on ', { stopReason: 'max_tokens' }),
    ...{ calls: 4, code: 1, error: 'max_output_tokens' },
    result: { ...apiError, api_error: 'max_output_tokens' },
  },
  'a continued answer, of which only the last part is the result': {
    reply: [textReply('part one ', { stopReason: 'max_tokens' }), textReply('part two')],
    ...{ calls: 2, code: 0 },
    result: { ...completed, result: 'part two', stop_reason: 'end_turn' },
  },
  'no content, asked about once': {
    reply: textReply([]),
    ...{ calls: 2, code: 0 },
    result: { ...completed, result: '' },
  },
  'too many turns': {
    reply: toolReply('Read', { file_path: '/etc/hostname' }),
    flags: ['--max-turns=1'],
    ...{ calls: 1, code: 1 },
    result: { subtype: 'error_max_turns', is_error: true, terminal_reason: 'max_turns' },
  },
  'a budget overrun by a whole answer': {
    reply: textReply('dear', { usage: { output_tokens: 100_000 } }),
    flags: ['--max-budget-usd=0.001'],
    ...{ calls: 1, code: 1 },
    result: {
      subtype: 'error_max_budget_usd',
      is_error: true,
      terminal_reason: 'budget_exhausted',
    },
  },
  'a structured answer in one turn': {
    reply: structuredReply({ a: 'x' }),
    ...{ flags: ['--max-turns=1'], jsonSchema, calls: 1, code: 0 },
    result: { ...completed, structured_output: { a: 'x' }, result: '{"a":"x"}' },
  },
  'a structured answer that never fits': {
    reply: structuredReply({ b: 1 }),
    ...{ jsonSchema, calls: 5, code: 1 },
    result: { subtype: 'error_max_structured_output_retries', is_error: true },
  },
  'prose where structure was asked for, a success': {
    reply: textReply('{"a":"x"}'),
    ...{ jsonSchema, calls: 2, code: 0 },
    result: { ...completed, result: '{"a":"x"}' },
  },
};

describe('the result of', () => {
  it.each(Object.entries(faults))('%s', async (_name, fault) => {
    const replies = [fault.reply ?? textReply('unasked')].flat();
    const { calls, code, result, lines, stderr } = await converse(
      [say.initialize(fault.jsonSchema ? { jsonSchema } : {}), say.user('hi')],
      {
        reply: (_request, index) => replies[index] ?? replies.at(-1)!,
        ...(fault.flags ? { flags: fault.flags } : {}),
        ...(fault.env ? { env: fault.env } : {}),
        ...(fault.baseUrl ? { baseUrl: fault.baseUrl } : {}),
      },
    );
    expect(result).toMatchObject(fault.result);
    expect({ calls: calls.length, code, stderr }).toEqual({
      ...{ calls: fault.calls, code: fault.code, stderr: '' },
    });
    const said = lines.findLast((line) => line['type'] === 'assistant');
    expect(said?.['error']).toBe(fault.error);
    expect(said?.['message'].model === '<synthetic>').toBe(fault.error !== undefined);
    expect(result?.['structured_output']).toEqual(fault.result['structured_output']);
    expect(lines.filter((line) => line['event']?.type === 'ping')).toEqual([]);
  });
});
