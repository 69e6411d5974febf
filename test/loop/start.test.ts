// npm start: the three services with one command, in an empty directory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { fakeClaude, projectDir } from '../support/gateway-environment.ts';

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' && address !== null ? address.port : 0);
}

function startAll(dir: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [join(projectDir, 'cli/start.ts')], {
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '', HOME: dir, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const exited = once(child, 'exit').then(([code]): number | null => code);
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    async ready() {
      await expect.poll(() => stderr, { timeout: 60_000 }).toContain('Ctrl-C stops everything');
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
    exited,
  };
}

async function ask(url: string, token: string | null, body?: object) {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  const answer: any = await response.json();
  return answer.data;
}

test('starts them with what they need of each other, keeps them going, and stops them', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-start-'));
  const [gatewayPort, vaultPort] = [await freePort(), await freePort()];
  const env = {
    ...{ GATEWAY_PORT: gatewayPort, VAULT_PORT: vaultPort, WATCHER_HEALTH_PORT: '0' },
    ...{
      CLAUDE_BIN: fakeClaude,
      SANDBOX: 'none',
      ANTHROPIC_API_KEY: 'sk-test',
      PREPARED_RUNS: '0',
    },
  };
  const api = `http://127.0.0.1:${vaultPort}/api/v1`;
  let token = '';
  const answersTo = async (agentId: string, eventId: string): Promise<string[]> => {
    const events = await ask(`${api}/agents/${agentId}/events?limit=100`, token);
    return events.flatMap((event: { event_type: string; reply_to: string; content: string }) =>
      event.event_type === 'assistant_message' && event.reply_to === eventId ? [event.content] : [],
    );
  };
  const say = async (content: string): Promise<void> => {
    const [{ agent_id: agentId }] = await ask(`${api}/agents`, token);
    const event = { event_type: 'user_message', content };
    const { event_id: eventId } = await ask(`${api}/agents/${agentId}/events`, token, event);
    await expect.poll(() => answersTo(agentId, eventId), { timeout: 30_000 }).toEqual([content]);
  };
  {
    await using all = startAll(directory.path, env);
    await all.ready();
    const link = /setup#(cvl_\S+)/.exec(all.stderr())?.[1];
    const account = { token: link, name: 'ada', password: 'a long password of mine' };
    token = (await ask(`${api}/auth/setup`, null, account)).access_token;
    await say('to the one agent that is there');
    const kept = join(directory.path, 'data/watcher-credentials.json');
    expect(statSync(kept).mode & 0o777).toBe(0o600);
    const { vault_key: key, gateway_token: gatewayToken } = JSON.parse(readFileSync(kept, 'utf8'));
    const seen = all.stdout() + all.stderr();
    for (const secret of [key, gatewayToken]) expect(seen).not.toContain(secret);

    const rotate = spawn(process.execPath, [join(projectDir, 'cli/rotate.ts')], {
      ...{
        cwd: directory.path,
        env: { PATH: process.env['PATH'] ?? '', HOME: directory.path, ...env },
      },
    });
    expect((await once(rotate, 'exit'))[0]).toBe(0);
    expect(JSON.parse(readFileSync(kept, 'utf8')).vault_key).not.toBe(key);
    const watching = () => all.stdout().split('"msg":"watching"').length - 1;
    await expect.poll(watching, { timeout: 30_000 }).toBe(2);
    await say('with the new credentials');
    all.child.kill('SIGINT');
    expect(await all.exited).toBe(0);
    const stopped = [...all.stdout().matchAll(/"service":"(\w+)","msg":"stopped"/g)];
    expect(stopped.map(([, name]) => name)).toEqual(['watcher', 'watcher', 'vault', 'gateway']);
  }
  await using again = startAll(directory.path, env);
  await again.ready();
  expect(again.stderr()).not.toContain('There is no user yet');
  await say('after a restart');
});

test('says why nothing starts', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-start-'));
  await using all = startAll(directory.path, { GATEWAY_PORT: '80x' });
  expect(await all.exited).toBe(1);
  expect(all.stderr()).toContain('GATEWAY_PORT is "80x"');
});
