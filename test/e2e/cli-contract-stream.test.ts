// What the pinned CLI tells while it works: the answer is joined from these lines.
import { describe, expect, it } from 'vitest';

import { cutReply, errorReply, textReply } from '../../cli/model-stub-reply.ts';
import { converse, say } from '../support/claude-conversation.ts';

const oauth = { ANTHROPIC_API_KEY: undefined, CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-dummy' };
const resetAt = 4_000_000_000;
const rejected = {
  'anthropic-ratelimit-unified-status': 'rejected',
  'anthropic-ratelimit-unified-reset': String(resetAt),
  'anthropic-ratelimit-unified-representative-claim': 'five_hour',
};

describe('while a turn goes on', () => {
  it('every finished block is an assistant line, a continuation is a synthetic user line', async () => {
    const { lines } = await converse([say.initialize(), say.user('hi')], {
      reply: (_request, index) =>
        index === 0 ? textReply(['a', 'b'], { stopReason: 'max_tokens' }) : textReply('c'),
    });
    const told = lines.filter((line) => ['assistant', 'user'].includes(line['type']));
    expect(told.map((line) => line['isSynthetic'] ?? line['message'].content[0].text)).toEqual([
      ...['a', 'b', true, 'c'],
    ]);
    expect(told[0]?.['message'].id).toBe(told[1]?.['message'].id);
  });

  it('a cut answer is told in deltas only, never as an assistant line', async () => {
    const { lines } = await converse([say.initialize(), say.user('hi')], {
      reply: (_request, index) => (index === 0 ? cutReply('end', 'half') : textReply('whole')),
      env: { CLAUDE_CODE_MAX_RETRIES: '2' },
    });
    const texts = lines
      .filter((line) => line['type'] === 'assistant')
      .map((line) => line['message'].content[0].text);
    expect(texts).toEqual(['whole']);
  });

  it('a refused answer is an assistant line that the synthetic user line takes back', async () => {
    const { lines, result } = await converse([say.initialize(), say.user('hi')], {
      reply: (_request, index) =>
        index === 0 ? textReply('refused', { stopReason: 'refusal' }) : textReply('harmless'),
    });
    const taken = lines.find((line) => line['refused_message_id'] !== undefined);
    const refused = lines.find((line) => line['type'] === 'assistant');
    expect(taken).toMatchObject({ type: 'user', isSynthetic: true });
    expect(taken?.['refused_message_id']).toBe(refused?.['message'].id);
    expect(result).toMatchObject({ is_error: false, result: 'harmless' });
  });

  it('a retry says how long it will wait, with retry-after at least that', async () => {
    const { lines } = await converse([say.initialize(), say.user('hi')], {
      reply: (_request, index) =>
        index === 0
          ? errorReply(429, 'slow', { headers: { 'retry-after': '2' } })
          : textReply('ok'),
      env: { CLAUDE_CODE_MAX_RETRIES: '1' },
    });
    const retry = lines.find((line) => line['subtype'] === 'api_retry');
    expect(retry).toMatchObject({ attempt: 1, error_status: 429, error: 'rate_limit' });
    expect(retry?.['retry_delay_ms']).toBeGreaterThanOrEqual(2000);
  });

  it('a subscription says when it opens again', async () => {
    const { lines } = await converse([say.initialize(), say.user('hi')], {
      reply: () => errorReply(429, 'limit', { headers: rejected }),
      env: oauth,
    });
    const limit = lines.find((line) => line['type'] === 'rate_limit_event');
    expect(limit?.['rate_limit_info']).toMatchObject({ status: 'rejected', resetsAt: resetAt });
  });
});
