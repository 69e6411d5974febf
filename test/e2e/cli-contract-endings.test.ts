// What we rely on when we stop the pinned CLI, and what it leaves behind.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { hangReply } from '../../cli/model-stub-reply.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import {
  answers,
  converse,
  isRequesting,
  say,
  startConversation,
} from '../support/claude-conversation.ts';

describe('how a turn ends', () => {
  it.each(['no_headers', 'message_start', 'pings'] as const)(
    'an interrupt of a silent API (%s) gives a result and drops the call',
    async (at) => {
      await using stub = await startModelStub({ reply: () => hangReply(at, 20) });
      await using claude = startConversation({ baseUrl: stub.url });
      claude.send(say.initialize(), say.user('hi'));
      await claude.line(isRequesting);
      claude.send(say.interrupt());
      expect((await claude.line(answers('interrupt')))['response'].subtype).toBe('success');
      const result = await claude.line((line) => line['type'] === 'result');
      expect(result).toMatchObject({
        ...{ subtype: 'error_during_execution', is_error: true },
        terminal_reason: 'aborted_streaming',
      });
      claude.end();
      expect((await claude.ended).code).toBe(1);
      for (const call of stub.calls) expect(await call.closed).toBe('aborted');
    },
  );

  it('by SIGTERM is without a result', async () => {
    await using stub = await startModelStub({ reply: () => hangReply('no_headers') });
    await using claude = startConversation({ baseUrl: stub.url });
    claude.send(say.initialize(), say.user('hi'));
    await claude.line(isRequesting);
    claude.signal('SIGTERM');
    const { code, result } = await claude.ended;
    expect({ code, result }).toEqual({ code: 143, result: undefined });
  });

  it('waits for more after a result, and ends when stdin does', async () => {
    await using stub = await startModelStub();
    await using claude = startConversation({ baseUrl: stub.url });
    claude.send(say.initialize(), say.user('one'));
    await claude.line((line) => line['result_index'] === 0);
    claude.send(say.user('two'));
    await claude.line((line) => line['result_index'] === 1);
    claude.end();
    expect((await claude.ended).code).toBe(0);
  });

  it('without a message is quiet', async () => {
    const { code, result, calls } = await converse([say.initialize()]);
    expect({ code, result, calls }).toEqual({ code: 0, result: undefined, calls: [] });
  });

  it('leaves nothing in its working directory', async () => {
    await using stub = await startModelStub();
    await using claude = startConversation({ baseUrl: stub.url });
    claude.send(say.initialize(), say.user('hi'));
    await claude.line((line) => line['type'] === 'result');
    expect(readdirSync(claude.cwd)).toEqual([]);
    expect(readdirSync(claude.home)).toContain('.claude.json');
  });
});

describe('a login in a directory of its own', () => {
  it.each([
    ['valid', 3_600_000],
    ['expired', -3_600_000],
  ])('that is %s is used and not touched', async (_name, expiresInMs) => {
    const directory = mkdtempSync(join(tmpdir(), 'gatehouse-login-'));
    const path = join(directory, '.credentials.json');
    const claudeAiOauth = {
      ...{ accessToken: 'sk-ant-oat01-dummy', refreshToken: 'sk-ant-ort01-dummy' },
      ...{ expiresAt: Date.now() + expiresInMs, scopes: ['user:inference'] },
    };
    const login = JSON.stringify({ claudeAiOauth });
    writeFileSync(path, login);
    const env = { ANTHROPIC_API_KEY: undefined, CLAUDE_SECURESTORAGE_CONFIG_DIR: directory };
    const { calls } = await converse([say.initialize(), say.user('hi')], { env });
    expect(calls[0]?.headers.authorization).toBe('Bearer sk-ant-oat01-dummy');
    expect(readdirSync(directory)).toEqual(['.credentials.json']);
    expect(readFileSync(path, 'utf8')).toBe(login);
    rmSync(directory, { recursive: true });
  });
});
