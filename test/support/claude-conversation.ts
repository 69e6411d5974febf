// Talks stream-json with a CLI, the real one or the fake, in an environment built from nothing.
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startModelStub } from '../../cli/model-stub.ts';
import type { StubReplyFunction } from '../../cli/model-stub.ts';

export type Line = Record<string, any>; // oxlint-disable-line typescript/no-explicit-any -- foreign JSON in tests
type Matches = (line: Line) => boolean;

export type Ending = {
  code: number | null;
  signal: NodeJS.Signals | null;
  lines: Line[];
  /** The last result line. */
  result: Line | undefined;
  stderr: string;
};

export type Conversation = {
  home: string;
  cwd: string;
  send: (...messages: object[]) => void;
  /** No more messages: the CLI ends after its turn. */
  end: () => void;
  signal: (name: NodeJS.Signals) => void;
  /** The first line that matches, past or to come; rejects when the CLI ends without it. */
  line: (matches: Matches) => Promise<Line>;
  ended: Promise<Ending>;
  [Symbol.asyncDispose]: () => Promise<void>;
};

const bin = join(import.meta.dirname, '../../node_modules/.bin');
export const realClaude = join(bin, 'claude');

const flags = [
  ...['-p', '--input-format=stream-json', '--output-format=stream-json', '--verbose'],
  ...['--include-partial-messages', '--tools=', '--setting-sources=', '--strict-mcp-config'],
  ...['--permission-mode=dontAsk', '--no-session-persistence'],
];

export function startConversation(options: {
  program?: string;
  baseUrl: string;
  flags?: string[];
  /** `undefined` takes a variable away. */
  env?: Record<string, string | undefined>;
}): Conversation {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
  const [home, cwd, temporary] = ['home', 'work', 'tmp'].map((name) =>
    mkdtempSync(join(directory, `${name}-`)),
  ) as [string, string, string];
  const env = {
    ...{ PATH: `${bin}:/usr/bin:/bin`, HOME: home, TMPDIR: temporary, LANG: 'C.UTF-8' },
    ...{ ANTHROPIC_BASE_URL: options.baseUrl, ANTHROPIC_API_KEY: 'sk-test-contract' },
    ...{ CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_AUTOUPDATER: '1' },
    ...{ CLAUDE_CODE_MAX_RETRIES: '0', ...options.env },
  };
  const args = [...flags, ...(options.flags ?? [])];
  const child = spawn(options.program ?? realClaude, args, { cwd, env, stdio: 'pipe' });
  child.stdin.on('error', () => {});

  const lines: Line[] = [];
  const arrivals = new EventEmitter<{ line: [Line]; end: [] }>().setMaxListeners(0);
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const line = JSON.parse(part) as Line;
      lines.push(line);
      arrivals.emit('line', line);
    }
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));

  const ended = once(child, 'close').then(([code, signal]): Ending => {
    arrivals.emit('end');
    rmSync(directory, { recursive: true, force: true });
    const result = lines.findLast((line) => line['type'] === 'result');
    return { code, signal, lines, result, stderr };
  });

  return {
    home,
    cwd,
    send: (...messages) => {
      for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
    },
    end: () => void child.stdin.end(),
    signal: (name) => void child.kill(name),
    line: (matches) => {
      const past = lines.find(matches);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve, reject) => {
        arrivals.on('line', (line) => {
          if (matches(line)) resolve(line);
        });
        arrivals.once('end', () => reject(new Error(`the CLI ended without that line: ${stderr}`)));
      });
    },
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

export const say = {
  initialize: (request: object = {}) =>
    control('initialize', { subtype: 'initialize', systemPrompt: ['Be a contract.'], ...request }),
  setModel: (model: string) => control('set_model', { subtype: 'set_model', model }),
  settings: (settings: object) => control('settings', { subtype: 'apply_flag_settings', settings }),
  interrupt: () => control('interrupt', { subtype: 'interrupt' }),
  user: (content: string) => ({
    type: 'user',
    message: { role: 'user', content },
    parent_tool_use_id: null,
    client_composed: true,
  }),
};

function control(id: string, request: object): object {
  return { type: 'control_request', request_id: id, request };
}

/** Tells whether a line answers the control request of this name. */
export function answers(id: string): Matches {
  return (line) => line['type'] === 'control_response' && line['response'].request_id === id;
}

/** Tells whether a line says that the CLI is about to ask again. */
export function isRetry(line: Line): boolean {
  return line['type'] === 'system' && line['subtype'] === 'api_retry';
}

/** Tells whether a line says that the model is being asked. */
export function isRequesting(line: Line): boolean {
  return line['type'] === 'system' && line['subtype'] === 'status';
}

export function answerTo(lines: Line[], id: string): Line | undefined {
  return lines.find(answers(id))?.['response'];
}

/** One turn from start to end: the messages are written at once, then stdin ends. */
export async function converse(
  messages: object[],
  options: { reply?: StubReplyFunction } & Partial<Parameters<typeof startConversation>[0]> = {},
) {
  await using stub = await startModelStub(options.reply ? { reply: options.reply } : {});
  await using claude = startConversation({ baseUrl: stub.url, ...options });
  claude.send(...messages);
  claude.end();
  const ending = await claude.ended;
  const init = ending.lines.find((line) => line['subtype'] === 'init');
  return { ...ending, init, requests: stub.requests, calls: stub.calls };
}
