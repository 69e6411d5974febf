// The fake CLI may not drift from the real one in anything that a verdict reads.
import { describe, expect, it } from 'vitest';

import { errorReply, hangReply, textReply } from '../../cli/model-stub-reply.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import { converse, realClaude, say, startConversation } from '../support/claude-conversation.ts';
import type { Line } from '../support/claude-conversation.ts';
import { fakeClaude } from '../support/gateway-environment.ts';

const readFields = [
  ...['type', 'subtype', 'is_error', 'terminal_reason', 'stop_reason', 'num_turns', 'result_index'],
  ...['api_error_status', 'api_error_type', 'error', 'is_api_error_message'],
];

function told(lines: Line[]): Line[] {
  return lines
    .filter((line) => ['assistant', 'result'].includes(line['type']) || line['subtype'] === 'init')
    .map((line) =>
      Object.fromEntries(readFields.filter((key) => key in line).map((key) => [key, line[key]])),
    );
}

describe('the fake CLI', () => {
  it.each([
    ['an answer', textReply('hi'), 'hi'],
    ['a wrong key', errorReply(401), '@@error 401'],
    ['a broken API', errorReply(500), '@@error 500'],
    ['an overloaded API', errorReply(529), '@@error 529'],
  ])('tells %s as the real one does', async (_name, reply, prompt) => {
    const messages = [say.initialize(), say.settings({ model: 'sonnet' }), say.user(prompt)];
    const real = await converse(messages, { program: realClaude, reply: () => reply });
    const fake = await converse(messages, { program: fakeClaude });
    expect(told(fake.lines)).toEqual(told(real.lines));
    expect(fake.code).toBe(real.code);
  });

  it('tells an interrupt as the real one does', async () => {
    await using stub = await startModelStub({ reply: () => hangReply('no_headers') });
    const endings = [];
    for (const program of [realClaude, fakeClaude]) {
      await using claude = startConversation({ program, baseUrl: stub.url });
      claude.send(say.initialize(), say.user('@@init-then-silence'));
      await claude.line((line) => line['subtype'] === 'init');
      claude.send(say.interrupt());
      await claude.line((line) => line['type'] === 'result');
      claude.end();
      const { code, lines } = await claude.ended;
      endings.push({ code, told: told(lines) });
    }
    expect(endings[1]).toEqual(endings[0]);
  });
});
