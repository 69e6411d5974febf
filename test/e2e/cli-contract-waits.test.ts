// The undocumented switch on which the true wait of a limit rests.
import { expect, test } from 'vitest';

import { errorReply } from '../../cli/model-stub-reply.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import { isRetry, say, startConversation } from '../support/claude-conversation.ts';

test.each([30, 90, 3600])('a limit that asks for %i s is told at once', async (waitSecs) => {
  await using model = await startModelStub({
    reply: () => errorReply(429, 'slow', { headers: { 'retry-after': String(waitSecs) } }),
  });
  await using claude = startConversation({
    baseUrl: model.url,
    env: { CLAUDE_CODE_MAX_RETRIES: '2', CLAUDE_CODE_RETRY_WATCHDOG: '1' },
  });
  claude.send(say.initialize(), say.user('hello'));
  const retry = await claude.line(isRetry);
  expect(retry).toMatchObject({ error_status: 429, error: 'rate_limit' });
  expect(retry['retry_delay_ms']).toBeGreaterThanOrEqual(waitSecs * 1000);
  expect(retry['retry_delay_ms']).toBeLessThanOrEqual(waitSecs * 1250 + 1000);
});
