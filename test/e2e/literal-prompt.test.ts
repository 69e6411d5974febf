// A prompt is text and nothing else (AA-08, AA-12): whatever it looks like, the model gets it byte for byte.
import { createHash } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { textReply } from '../../cli/model-stub-reply.ts';
import { systemText, userText } from '../../cli/model-stub-request.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';

let gateway: ModelGateway;
beforeAll(async () => {
  gateway = await startModelGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** Sends it, and says what the model was asked in all and with which system prompt. */
async function sent(request: { prompt: string; system?: string }) {
  const { status, body } = await gateway.ask(textReply('read'), request);
  expect({ status, result: body.result }).toEqual({ status: 200, result: 'read' });
  const [call, ...more] = gateway.model.calls;
  if (call === undefined) throw new Error('the model was not asked');
  expect(more).toEqual([]);
  return call;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

describe('reaches the model as it was written:', () => {
  it.each([
    ...['--help', '-1+2', '--', '-p', '--dangerously-skip-permissions'],
    ...['$(id)', '`id`', '; id #', '!id', '# remember this'],
    ...['/cost', '/clear', '/compact', '/model opus', '/config autoCompact=false', '  /mcp'],
  ])('%s', async (prompt) => {
    expect(userText(await sent({ prompt }))).toBe(prompt);
  });

  it.each<[name: string, text: string]>([
    ['white space around it', ' \t\n text \r\n \n'],
    ['quotes, braces and backslashes', `"'{"type":"result"}\\n\\u0041%s\${HOME}`],
    ['emoji, combining marks and 4-byte characters', '👩‍👩‍👧 e\u0301é 𝕳𐍈 \u{10ffff}'],
    ['right-to-left text and its overrides', 'שלום \u202eabc\u202c مرحبا'],
    ['every line end there is', 'a\rb\nc\r\nd\u0085e\u2028f\u2029g\vh\fi'],
    ['control characters', '\u0001\u0007\u001b[31mred\u001b[0m\u001b]0;title\u0007\u007f\u009b'],
    ['a byte order mark', '\ufeffmarked\ufeff'],
  ])('%s', async (_name, text) => {
    const call = await sent({ prompt: text, system: `before ${text} after` });
    expect(userText(call)).toBe(text);
    expect(systemText(call)).toContain(`before ${text} after`);
  });

  it('2 MB of mixed characters', async () => {
    const unit = 'ä😀"\\\u2028\u001b line of text\n';
    const prompt = unit.repeat((2 * 2 ** 20) / Buffer.byteLength(unit));
    expect(Buffer.byteLength(prompt)).toBeGreaterThan(2_090_000);
    expect(digest(userText(await sent({ prompt })))).toBe(digest(prompt));
  });
});

it('a command in a prompt changes nothing for the next run', async () => {
  await sent({ prompt: '/model opus' });
  await sent({ prompt: '/config autoCompact=false' });
  const call = await sent({ prompt: 'hello' });
  expect(call.body?.['model']).toContain('sonnet');
  expect(userText(call)).toBe('hello');
});

it('the model is told nothing of the machine', async () => {
  const body = (await sent({ prompt: 'hello' })).rawBody.toString();
  expect(body).not.toMatch(/\/tmp\/gatehouse|sk-test|GATEHOUSE|CLAUDE\.md|admin-token/);
});
