import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { projectDir } from '../support/test-gateway.ts';

const noTestOfDuration = { timeout: 120_000 };

function startDemo(temporary: string, args: string[]) {
  const child = spawn(process.execPath, ['cli/demo.ts', ...args], {
    cwd: projectDir,
    // What is a real Gatehouse's must not matter.
    env: {
      PATH: process.env['PATH'] ?? '',
      TMPDIR: temporary,
      ...{ GATEWAY_PORT: '0', VAULT_PORT: '0', WATCHER_HEALTH_PORT: '0' },
      ANTHROPIC_API_KEY: 'a-key-the-demo-must-not-use',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
      DATABASE_URL: 'postgres://somebody:else@127.0.0.1:9/theirs',
      VAULT_DATA_DIR: '/nowhere/of/theirs',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const exited = once(child, 'close').then(([code]): number | null => code);
  return {
    ...{ child, exited, stdout: () => stdout, stderr: () => stderr },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
  };
}

test('the demo shows a run and a message with their answers, and leaves nothing behind', async () => {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'demo-'));
  await using demo = startDemo(temporary.path, ['--once']);
  expect([await demo.exited, demo.stderr()]).toMatchObject([
    0,
    expect.stringMatching(/sandbox {6}bwrap/),
  ]);
  const stdout = demo.stdout();
  expect(stdout).toContain('the model is an offline stub');
  const answer = JSON.parse(stdout.slice(stdout.indexOf('\n{'), stdout.lastIndexOf('\n}') + 2));
  expect(answer).toMatchObject({ ok: true, result: expect.stringContaining('Say hello') });
  expect(stdout).toMatch(/^Claude: .*was asked: What is a gatehouse\?$/m);
  expect(readdirSync(temporary.path)).toEqual([]);
});

test('its link signs in, once, and Ctrl-C ends it', async () => {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'demo-'));
  await using demo = startDemo(temporary.path, []);
  const link = () => /^ +(http\S+)\/sign-in#(cvl_\S+)$/m.exec(demo.stdout());
  await expect.poll(link, noTestOfDuration).not.toBeNull();
  const [, url = '', token = ''] = link() ?? [];
  const signIn = (path: string, body: object) =>
    fetch(`${url}/api/v1/auth/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  expect((await signIn('login-link', { token })).status).toBe(200);
  expect((await signIn('login-link', { token })).status).toBe(401);
  const [, password] = /as demo with the password (\S+)$/m.exec(demo.stdout()) ?? [];
  expect((await signIn('login', { name: 'demo', password })).status).toBe(200);
  expect(demo.stderr()).not.toContain('/setup#');
  demo.child.kill('SIGINT');
  expect(await demo.exited).toBe(0);
  expect(readdirSync(temporary.path)).toEqual([]);
});
