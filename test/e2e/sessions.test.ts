import { readdirSync } from 'node:fs';
// Conversations with the pinned CLI: what it sends of earlier turns is what the API sees.
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { errorReply, hangReply, textReply } from '../../cli/model-stub-reply.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import type { ModelStub } from '../../cli/model-stub.ts';
import { processesMarked } from '../../gateway/sandbox/process-table.ts';
import { runMarker } from '../../gateway/sandbox/sandboxed-process.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { startModelGateway } from '../support/model-gateway.ts';

/** What the user said, turn by turn, in the last call of the model. */
function saidIn({ calls }: Pick<ModelStub, 'calls'>): string[] {
  const messages = (calls.at(-1)?.body?.['messages'] ?? []) as {
    role: string;
    content: string | { type: string; text?: string }[];
  }[];
  return messages
    .filter(({ role }) => role === 'user')
    .map(({ content }) =>
      typeof content === 'string' ? content : content.map(({ text = '' }) => text).join(''),
    );
}

async function openSession(gateway: Awaited<ReturnType<typeof startModelGateway>>) {
  const token = await gateway.mint('talker');
  const { body } = await gateway.as(token, '/sessions', { body: { system: 'You are a gate.' } });
  const say = (prompt: string) => gateway.run(token, { prompt, session_id: body.session_id });
  return { token, sessionId: body.session_id as string, say };
}

describe.for(['require', 'none'])('a session under SANDBOX=%s', (SANDBOX) => {
  test('sends the earlier turns along: from its kept process, and from a new one', async () => {
    await using gateway = await startModelGateway({ SANDBOX, SESSION_LIVE_SECS: '300' });
    const { say } = await openSession(gateway);
    await say('one apple');
    expect((await say('two pears')).status).toBe(200);
    expect(saidIn(gateway.model)).toEqual(['one apple', 'two pears']);
    // Another effort is told at the start only, so that this is a process of its own.
    const { token, sessionId } = await openSessionOf(gateway);
    const request = { prompt: 'three plums', session_id: sessionId, effort: 'low' };
    await gateway.run(token, { prompt: 'before', session_id: sessionId });
    expect((await gateway.run(token, request)).status).toBe(200);
    expect(saidIn(gateway.model)).toEqual(['before', 'three plums']);
    const systems = gateway.model.calls.at(-1)?.body?.['system'] as { text: string }[];
    expect(systems.at(-1)?.text).toBe('You are a gate.');
  });
});

async function openSessionOf(gateway: Awaited<ReturnType<typeof startModelGateway>>) {
  const token = await gateway.mint('other');
  const { body } = await gateway.as(token, '/sessions', { body: { system: 'You are a gate.' } });
  return { token, sessionId: body.session_id as string };
}

test('a gateway that is killed in the middle of a turn leaves no process, and the session goes on', async () => {
  let isSlow = false;
  await using model = await startModelStub({
    reply: () => (isSlow ? hangReply('message_start') : textReply('an answer')),
  });
  const env = { CLAUDE_BIN: '', SANDBOX: 'require', ANTHROPIC_BASE_URL: model.url };
  const first = await startGatewayProcess({ env, keep: true });
  const { dataDir } = first;
  const token = await first.mint('talker');
  const { body } = await first.as(token, '/sessions', { body: {} });
  const sessionId = body.session_id as string;
  expect((await first.run(token, { prompt: 'one apple', session_id: sessionId })).status).toBe(200);
  isSlow = true;
  const cut = await first.submit(token, { prompt: 'two pears', session_id: sessionId });
  await expect.poll(() => model.calls.length, { timeout: 30_000 }).toBe(2);
  first.child.kill('SIGKILL');
  await first.exited;
  await expect
    .poll(() => processesMarked(runMarker, (mark) => mark === sessionId), { timeout: 5000 })
    .toEqual([]);
  isSlow = false;
  await using second = await startGatewayProcess({ env, dataDir });
  expect(await second.ended(token, cut)).toMatchObject({ outcome: 'interrupted' });
  const answer = await second.run(token, { prompt: 'three plums', session_id: sessionId });
  expect(answer.body).toMatchObject({ ok: true });
  expect(answer.body).not.toHaveProperty('session_reset');
  const said = saidIn(model);
  expect(said[0]).toBe('one apple');
  expect(said.at(-1)).toBe('three plums');
}, 120_000);

describe('a transcript that the CLI cannot use', () => {
  const damages: [string, (path: string) => Promise<void>][] = [
    ['gone', (path) => rm(path)],
    ['empty', (path) => writeFile(path, '')],
    ['cut in half', (path) => truncate(path, 3000)],
    ['garbage', (path) => writeFile(path, 'no line of it\n\0\n')],
  ];
  test.for(damages)(
    'that is %s: the conversation begins anew, once, and says so',
    async ([, damage]) => {
      await using gateway = await startModelGateway({ SESSION_LIVE_SECS: '0' });
      const { say, sessionId } = await openSession(gateway);
      await say('one apple');
      const root = join(gateway.dataDir, 'sessions', sessionId);
      const transcript = readdirSync(root, { recursive: true })
        .map(String)
        .find((name) => name.endsWith('.jsonl'));
      await damage(join(root, transcript ?? 'none'));
      const after = await say('two pears');
      expect(after.body).toMatchObject({ ok: true, session_reset: true });
      expect(saidIn(gateway.model)).toEqual(['two pears']);
      const next = await say('three plums');
      expect(next.body).not.toHaveProperty('session_reset');
      expect(saidIn(gateway.model)).toEqual(['two pears', 'three plums']);
    },
  );
});

test('a history that the API refuses is left behind once, and the answer still comes', async () => {
  await using gateway = await startModelGateway({ SESSION_LIVE_SECS: '0' });
  const { say } = await openSession(gateway);
  await say('one apple');
  const message = 'messages.1: `tool_use` ids were found without `tool_result` blocks';
  gateway.answerWith((request) =>
    saidIn({ calls: [request] }).length > 1 ? errorReply(400, message) : textReply('an answer'),
  );
  const after = await say('two pears');
  expect(after.body).toMatchObject({ ok: true, result: 'an answer', session_reset: true });
});
