// Secrets and prompts turn up where they belong and nowhere else (AA-07, AA-16): not in the log, an error or the database.
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startGatewayProcess } from '../support/gateway-process.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { testAdminToken } from '../support/test-gateway.ts';

const apiKey = 'sk-test-5c1d-api-key-of-the-gateway';
const promptCanary = 'canary-5c1d-of-a-prompt';
const systemCanary = 'canary-5c1d-of-a-system-prompt';
const answerCanary = 'canary-5c1d-of-an-answer';
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/g;
const hostile = '\u001b[31m\u2028"}{"level":"fatal"\u202e\u009b';

describe.each(['full', 'hash', 'none'])('with AUDIT_PROMPTS=%s', (prompts) => {
  let gateway: GatewayProcess;
  let token: string;
  /** Every body of an answer that is not a success. */
  const errors: string[] = [];

  beforeAll(async () => {
    gateway = await startGatewayProcess({
      env: { ANTHROPIC_API_KEY: apiKey, AUDIT_PROMPTS: prompts, LOG_LEVEL: 'trace' },
    });
    token = await gateway.mint('app');
    await misuse();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  async function note(answer: Promise<{ status: number; text: string }>): Promise<void> {
    const { status, text } = await answer;
    if (status >= 400) errors.push(text);
  }

  /** All that can go wrong with a token or a prompt in the wrong place, and what goes right. */
  async function misuse(): Promise<void> {
    const prompt = `${promptCanary} ${hostile}`;
    const said = { prompt, system: systemCanary };
    await gateway.run(token, { ...said, prompt: `${answerCanary}\n${prompt}` });
    for (const directive of [
      'exit 3',
      `stderr ${promptCanary}\n@@exit 1`,
      'error 500',
      'error 401',
    ]) {
      await note(gateway.run(token, { ...said, prompt: `@@${directive}\n${prompt}` }));
    }
    await note(gateway.run(token, { ...said, model: 'claude-x;y' }));
    await note(gateway.run(token, { ...said, timeout_secs: 1e9 }));
    await note(gateway.run(token, { ...said, token }));
    await note(gateway.run(token, { ...said, system: `${systemCanary}\u0000` }));
    await note(gateway.run(`${token.slice(0, -1)}x`, said));
    await note(gateway.run(testAdminToken, said));
    await note(gateway.run(apiKey, said));
    for (const secret of [token, testAdminToken]) {
      for (const name of ['token', 'access_token', 'q']) {
        await note(gateway.fetch(`/run?${name}=${encodeURIComponent(secret)}`, { method: 'POST' }));
      }
      await note(gateway.fetch(`/nothing/${secret}`));
      await note(
        gateway.fetch('/run', { headers: { 'x-api-key': secret, cookie: `t=${secret}` } }),
      );
      await note(gateway.fetch('/run', { headers: { authorization: `Basic ${btoa(secret)}` } }));
      await note(
        rawGet(`/${secret}`, { referer: `http://x/?token=${secret}`, 'user-agent': hostile }),
      );
    }
    const rotated = await gateway.admin('/admin/tokens/app/rotate', { overlap_secs: 60 });
    expect(rotated.status).toBe(201);
    await gateway.admin('/admin/tokens/app', undefined, 'DELETE');
    await note(gateway.run(token, said));
  }

  function rawGet(path: string, headers: Record<string, string>) {
    return new Promise<{ status: number; text: string }>((resolve, reject) => {
      const bytes = Object.entries(headers).map(([name, value]): [string, string] => [
        name,
        Buffer.from(value).toString('latin1').replaceAll(unsafe, '.'),
      ]);
      request(`${gateway.url}${path}`, { headers: Object.fromEntries(bytes) }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      })
        .on('error', reject)
        .end();
    });
  }

  it('no secret and no prompt is in the log', () => {
    const log = gateway.stdout() + gateway.stderr();
    expect(log).toContain('run ended');
    expect(log).toContain('door refused');
    for (const secret of [
      token,
      testAdminToken,
      apiKey,
      systemCanary,
      answerCanary,
      promptCanary,
    ]) {
      expect(log).not.toContain(secret);
    }
  });

  it('every line of the log is one JSON object that drives no terminal', () => {
    for (const line of gateway.stdout().split('\n').filter(Boolean)) {
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String) });
      expect(line.match(unsafe)).toBe(null);
    }
    expect(gateway.stdout()).not.toContain('"level":"fatal"');
  });

  it('no secret and no prompt is in an error', () => {
    expect(errors.length).toBeGreaterThan(20);
    for (const secret of [
      token,
      testAdminToken,
      apiKey,
      systemCanary,
      answerCanary,
      promptCanary,
    ]) {
      expect(errors.filter((text) => text.includes(secret))).toEqual([]);
    }
  });

  it('no secret is in a file of the gateway, and the prompt only if it was asked for', async () => {
    const names = (await readdir(gateway.dataDir)).filter(
      (name) => !['runs', 'files', 'sessions'].includes(name),
    );
    expect(names).toContain('gateway.db');
    const files = await Promise.all(names.map((name) => readFile(join(gateway.dataDir, name))));
    const everything = Buffer.concat(files);
    for (const secret of [token, testAdminToken, apiKey, systemCanary, answerCanary]) {
      const belongs = secret === answerCanary && prompts === 'full';
      expect(everything.includes(secret)).toBe(belongs);
    }
    expect(everything.includes(promptCanary)).toBe(prompts === 'full');
  });
});
