// npm start as an operator runs it, in a directory of its own, with the fake CLI: the parts and the people in it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { expect } from 'vitest';

import { fakeClaude, projectDir } from './gateway-environment.ts';
import type { SeenEvent } from './loop-world.ts';
import { quickStart } from './quick-start.ts';

export async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' && address !== null ? address.port : 0);
}

export async function setEnvironment(
  more: Record<string, string> = {},
): Promise<Record<string, string>> {
  return {
    ...{ GATEWAY_PORT: await freePort(), VAULT_PORT: await freePort(), WATCHER_HEALTH_PORT: '0' },
    ...{ CLAUDE_BIN: fakeClaude, SANDBOX: 'none', ANTHROPIC_API_KEY: 'sk-test' },
    PREPARED_RUNS: '0',
    VAULT_RATE_PER_MINUTE: '6000',
    ...more,
  };
}

export function startSet(dir: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [join(projectDir, 'cli/start.ts')], {
    cwd: dir,
    env: { PATH: process.env['PATH'] ?? '', HOME: dir, ...quickStart, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  const exited = once(child, 'exit').then(([code]): number | null => code);
  return {
    ...{ child, stdout: () => stdout, stderr: () => stderr, exited },
    async ready() {
      await expect.poll(() => stderr, { timeout: 60_000 }).toContain('Ctrl-C stops everything');
    },
    /** The process of one of the services. */
    partPid(name: string): number {
      const pid = childrenOf(child.pid ?? 0).find((each) =>
        commandOf(each).includes(join(projectDir, name, 'main.ts')),
      );
      if (pid === undefined) throw new Error(`there is no ${name}`);
      return pid;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
      await exited;
    },
  };
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid)) return [];
    try {
      const [, ppid] = /\) . (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
      return Number(ppid) === parent ? [pid] : [];
    } catch {
      return [];
    }
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The API of the vault as somebody uses it who has followed the set-up link. What is refused is thrown. */
export function startedVault(port: string) {
  const account = { name: 'ada', password: 'a long password of mine' };
  let token: string | null = null;
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks at what came, whatever it is
  const ask = async (path: string, body?: object): Promise<any> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    // oxlint-disable-next-line typescript/no-explicit-any -- as above
    const answer: any = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer.data;
  };
  const agentId = async (): Promise<string> => (await ask('/agents'))[0].agent_id;
  /** The newest 200. */
  const events = async (): Promise<SeenEvent[]> =>
    ask(`/agents/${await agentId()}/events?limit=200`);
  return {
    ...{ ask, account, agentId, events },
    async setUp(said: string): Promise<void> {
      const link = /setup#(cvl_\S+)/.exec(said)?.[1];
      token = (await ask('/auth/setup', { token: link, ...account })).access_token;
    },
    async signIn(): Promise<void> {
      token = (await ask('/auth/login', account)).access_token;
    },
    /** Gives the id of the message. */
    async say(content: string): Promise<string> {
      const event = { event_type: 'user_message', content };
      return (await ask(`/agents/${await agentId()}/events`, event)).event_id;
    },
    async answersTo(eventId: string): Promise<string[]> {
      return (await events()).flatMap(({ event_type: type, reply_to: to, content }: SeenEvent) =>
        type === 'assistant_message' && to === eventId ? [content] : [],
      );
    },
  };
}
