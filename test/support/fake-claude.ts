#!/usr/bin/env node
/* oxlint-disable eslint/max-lines -- one file, so that a sandbox can bind it */
// Stands in for the CLI where the real one cannot be made to fail, and speaks stream-json like it.
// Lines of the prompt that begin with `@@` name one of the `directives` below and are obeyed in order; the rest is echoed.
// A copy whose file name contains `early-exit` ends before it reads anything.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';

type Json = Record<string, unknown>;
type Turn = { text: string; signal: AbortSignal; isAnswered: boolean };
type Directive = (turn: Turn, argument: string) => void | Promise<void>;

const sessionId = '00000000-0000-4000-8000-000000000000';
const megabyte = 2 ** 20;
const withDeltas = process.argv.includes('--include-partial-messages');
const told: Json = { system: null, model: 'claude-fake-1', jsonSchema: null, effort: null };
const allocated: Buffer[] = [];
let isInitWritten = false;
let isDeafToInterrupt = false;
let results = 0;

if (process.argv.includes('--version')) {
  writeSync(1, '9.9.9 (Claude Code)\n');
  process.exit(0);
}
if (basename(process.argv[1] ?? '').includes('early-exit')) {
  writeSync(2, 'fake-claude: ended before reading\n');
  process.exit(3);
}

const directives: Record<string, Directive> = {
  /** Ends at once, with nothing more written. */
  exit: (_turn, code) => process.exit(Number(code)),
  stderr: (_turn, text) => void writeSync(2, `${text}\n`),
  sleep: (turn, ms) => sleepFor(Number(ms), undefined, { signal: turn.signal }),
  /** Never writes anything, not even for an interrupt. */
  silent: () => {
    isDeafToInterrupt = true;
    return forever();
  },
  init: () => writeInit(),
  'init-then-silence': (turn) => {
    writeInit();
    return forever(turn.signal);
  },
  /** Deltas for ever, a little one every `ms`. */
  'talk-for-ever': async (turn, ms) => {
    for (;;) {
      writeDelta('. ');
      await sleepFor(Number(ms) || 50, undefined, { signal: turn.signal });
    }
  },
  'ignore-term': () => void process.on('SIGTERM', () => {}),
  'ignore-interrupt': () => void (isDeafToInterrupt = true),
  /** Leaves a grandchild in a session of its own that holds stdout and stderr. */
  setsid: (_turn, ms) => {
    const stdio: ['ignore', 'inherit', 'inherit'] = ['ignore', 'inherit', 'inherit'];
    spawn('sleep', [String(Number(ms) / 1000)], { detached: true, stdio }).unref();
  },
  /** An answer, but no result line. */
  'no-result': (turn) => {
    writeAssistant('an answer without its result');
    turn.isAnswered = true;
  },
  empty: (turn) => writeAnswer(turn, ''),
  garbage: (_turn, count) => {
    writeInit();
    for (let left = Number(count) || 3; left > 0; left -= 1) writeRaw(`}} not json ${left}\n`);
    writeRaw('[1,2]\n"text"\nnull\n{"type":42}\n{}\n');
  },
  /** 200 KB of one JSON line, cut at byte 65,536. */
  'cut-json': (turn) => {
    writeInit();
    const result = { type: 'result', subtype: 'success', is_error: false };
    writeRaw(JSON.stringify({ ...result, result: 'x'.repeat(200_000) }).slice(0, 65_536));
    turn.isAnswered = true;
  },
  /** What a background task does: it wakes the session up again after its first result. All in one write. */
  'two-results': (turn) => {
    process.stdout.cork();
    writeAnswer(turn, 'first result');
    isInitWritten = false;
    writeAnswer(turn, 'second result', { origin: { kind: 'task-notification' } });
    process.stdout.uncork();
  },
  error: (turn, status) => writeError(turn, Number(status)),
  'error-exit-0': (turn, status) => {
    writeError(turn, Number(status) || 500);
    process.exitCode = 0;
  },
  /** What is told of the subscription's windows; the argument is the JSON of `rate_limit_info`. */
  limit: (_turn, json) => writeLimit(JSON.parse(json)),
  /** A used-up window that opens again in so many seconds: the event and the words. */
  'hit-limit': (turn, secs) => {
    const resetsAt = Math.ceil(Date.now() / 1000) + Number(secs);
    writeLimit({ status: 'rejected', resetsAt, rateLimitType: 'five_hour', isUsingOverage: false });
    writeUsedUp(turn, `You've hit your 5-hour limit · resets ${clockText(resetsAt)} (UTC)`);
  },
  /** The same for the first run that says it, told by a file beside the directories of runs; the next ones go on. */
  'once-hit-limit': (turn, secs) => {
    const path = join(process.cwd(), '../../.limit-was-hit');
    if (existsSync(path)) return;
    writeFileSync(path, '');
    return directives['hit-limit']?.(turn, secs);
  },
  /** The words alone. */
  'limit-text': (turn, text) => writeUsedUp(turn, text),
  'cancel-after': async (turn, ms) => {
    writeInit();
    await sleepFor(Number(ms), undefined, { signal: turn.signal });
    writeInterrupted(turn);
  },
  'max-turns': (turn) =>
    writeResult(turn, {
      ...{ subtype: 'error_max_turns', is_error: true, terminal_reason: 'max_turns' },
      ...{ num_turns: 2, stop_reason: 'tool_use', errors: ['Reached maximum number of turns (1)'] },
    }),
  'schema-ok': (turn, json) => {
    const value: unknown = json === '' ? { ok: true } : JSON.parse(json);
    const extra = { result: JSON.stringify(value), structured_output: value, num_turns: 2 };
    writeResult(turn, { ...success, ...extra, stop_reason: 'tool_use' });
  },
  'schema-missing': (turn) => writeAnswer(turn, 'prose instead of the structured output'),
  alloc: (_turn, size) => void allocated.push(Buffer.alloc(Number(size) * megabyte, 1)),
  /** Many small lines; waits for its reader. */
  print: async (turn, size) => {
    const delta = 'x'.repeat(200);
    for (let written = 0; written < Number(size) * megabyte; written += 400) {
      if (!writeDelta(delta)) await once(process.stdout, 'drain', { signal: turn.signal });
      if (written % megabyte < 400) await sleepFor(0, undefined, { signal: turn.signal });
    }
  },
  /** So many whole messages, each after so many milliseconds. */
  'say-many': async (turn, counts) => {
    const [count = 1, ms = 0] = counts.split(' ').map(Number);
    for (let left = count; left > 0; left -= 1) {
      await sleepFor(ms, undefined, { signal: turn.signal });
      writeAssistant(`message ${left}`, told['model'], {}, `msg_many_${left}`);
    }
  },
  /** So many messages of a megabyte each, without deltas. */
  'say-long': async (turn, count) => {
    const text = 'x'.repeat(megabyte);
    for (let left = Number(count); left > 0; left -= 1) {
      const content = [{ type: 'text', text }];
      const message = { id: `msg_long_${left}`, role: 'assistant', model: told['model'], content };
      writeInit();
      if (!writeLine({ type: 'assistant', message, parent_tool_use_id: null })) {
        await once(process.stdout, 'drain', { signal: turn.signal });
      }
    }
  },
  /** One line. */
  'long-line': (_turn, size) => void writeDelta('x'.repeat(Number(size) * megabyte)),
  'fill-disk': async (_turn, size) => {
    for (const directory of [process.cwd(), process.env['HOME'] ?? '/tmp']) {
      await fill(join(directory, 'filled'), Number(size));
    }
  },
  /** Makes the file `waiting` in the working directory and goes on when there is one called `go`. */
  'wait-for-go': async (turn) => {
    writeFileSync('waiting', '');
    while (!existsSync('go')) await sleepFor(20, undefined, { signal: turn.signal });
  },
  /** As the real one does: a new file beside the old one, renamed over it. The argument is the new access token. */
  'refresh-login': (_turn, accessToken) => {
    const path = join(process.env['CLAUDE_SECURESTORAGE_CONFIG_DIR'] ?? '', '.credentials.json');
    const login = JSON.parse(readFileSync(path, 'utf8')) as { claudeAiOauth: Json };
    const expiresAt = Date.now() + 8 * 60 * 60_000;
    const claudeAiOauth = { ...login.claudeAiOauth, accessToken, expiresAt };
    writeFileSync(`${path}.new`, JSON.stringify({ ...login, claudeAiOauth }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  },
  /** Everything that was asked in this conversation before, as JSON. */
  history: (turn) => writeAnswer(turn, JSON.stringify(conversation.asked.slice(0, -1))),
  report: (turn) => writeAnswer(turn, JSON.stringify(report())),
  /**
   * For overlap checks. To a file: a line now and one at the end. To a port of this machine, which a run in a sandbox reaches as well:
   * a line, and a connection that lasts as long as the process, also when it is killed.
   */
  log: async (_turn, where) => {
    if (/^\d+$/.test(where)) await holdLine(Number(where));
    else keepLog(where);
  },
};

const success = {
  ...{ subtype: 'success', is_error: false, terminal_reason: 'completed', num_turns: 1 },
  ...{ api_error_status: null, stop_reason: 'end_turn' },
};

const errorKinds: Record<number, [error: string, type: string]> = {
  400: ['unknown', 'invalid_request_error'],
  401: ['authentication_failed', 'authentication_error'],
  403: ['authentication_failed', 'permission_error'],
  404: ['model_not_found', 'not_found_error'],
  429: ['rate_limit', 'rate_limit_error'],
  529: ['server_error', 'overloaded_error'],
};

function writeRaw(text: string): boolean {
  return process.stdout.write(text);
}

function writeLine(line: Json): boolean {
  return writeRaw(`${JSON.stringify({ ...line, session_id: sessionId })}\n`);
}

function writeInit(): void {
  if (isInitWritten) return;
  isInitWritten = true;
  const tools = told['jsonSchema'] === null ? [] : ['StructuredOutput'];
  const rest = { model: told['model'], permissionMode: 'dontAsk', claude_code_version: '9.9.9' };
  writeLine({ type: 'system', subtype: 'init', cwd: process.cwd(), tools, ...rest });
}

function writeDelta(text: string): boolean {
  writeInit();
  const event = { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } };
  return writeLine({ type: 'stream_event', event, parent_tool_use_id: null });
}

function writeAssistant(
  text: string,
  model = told['model'],
  extra: Json = {},
  id = `msg_fake_${results}`,
): void {
  writeInit();
  if (withDeltas && model !== '<synthetic>' && text !== '') writeDelta(text);
  const content = text === '' ? [] : [{ type: 'text', text }];
  const head = { id, type: 'message', role: 'assistant', model };
  const message = { ...head, content, stop_reason: null };
  writeLine({ type: 'assistant', message, parent_tool_use_id: null, ...extra });
}

function writeAnswer(turn: Turn, text: string, extra: Json = {}): void {
  if (text !== '') writeAssistant(text);
  writeResult(turn, { ...success, result: text, ...extra });
}

function writeLimit(rate_limit_info: Json): void {
  writeInit();
  writeLine({ type: 'rate_limit_event', rate_limit_info });
}

function clockText(epochSecs: number): string {
  const time = new Date(epochSecs * 1000);
  const minutes = String(time.getUTCMinutes()).padStart(2, '0');
  const hour = time.getUTCHours();
  return `${hour % 12 || 12}:${minutes}${hour < 12 ? 'am' : 'pm'}`;
}

function writeUsedUp(turn: Turn, text: string): void {
  writeError(turn, 429, text, { api_error: 'usage_limit_reached' });
}

function writeError(
  turn: Turn,
  status: number,
  result = `API Error: ${status} The fake answers ${status}.`,
  more: Json = {},
): void {
  const [error, type] = errorKinds[status] ?? ['server_error', 'api_error'];
  const shown = { api_error_status: status, api_error_type: type, ...more };
  writeAssistant(result, '<synthetic>', { error, is_api_error_message: true, ...shown });
  const failed = { is_error: true, terminal_reason: 'api_error', stop_reason: 'stop_sequence' };
  writeResult(turn, { ...success, ...failed, ...shown, result });
}

function writeInterrupted(turn: Turn): void {
  const errors = ['[ede_diagnostic] result_type=user last_content_type=n/a stop_reason=null'];
  const failed = { subtype: 'error_during_execution', is_error: true, errors };
  const rest = { terminal_reason: 'aborted_streaming', stop_reason: null, num_turns: 2 };
  writeResult(turn, { ...failed, ...rest });
}

function writeResult(turn: Turn, fields: Json): void {
  writeInit();
  turn.isAnswered = true;
  const tokens = { input_tokens: 100, output_tokens: 20 };
  const usage = { ...tokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };
  const counted = { usage, total_cost_usd: 0.0004, duration_ms: 1, permission_denials: [] };
  writeLine({ type: 'result', ...counted, ...fields, result_index: results });
  results += 1;
  process.exitCode = fields['is_error'] === true ? 1 : 0;
}

function report(): Json {
  const login = process.env['CLAUDE_SECURESTORAGE_CONFIG_DIR'];
  const own = { cwd: process.cwd(), home: process.env['HOME'], tmp: process.env['TMPDIR'] };
  const directories = { ...own, login };
  const listings = Object.entries(directories).map(([name, path]) => [name, listing(path)]);
  const fields = readFileSync('/proc/self/status', 'utf8').split('\n');
  return {
    ...{ argv: process.argv, env: { ...process.env }, cwd: process.cwd(), told },
    ...{ uid: process.getuid?.(), gid: process.getgid?.(), pid: process.pid, ppid: process.ppid },
    listings: Object.fromEntries(listings),
    fds: Object.fromEntries(listing('/proc/self/fd').map((fd) => [fd, linkOf(fd)])),
    status: Object.fromEntries(
      fields.filter((field) => /^(Cap|NoNewPrivs|Seccomp)/.test(field)).map((f) => f.split(':\t')),
    ),
  };
}

function listing(path: string | undefined): string[] {
  try {
    return readdirSync(path ?? '/nonexistent');
  } catch {
    return [];
  }
}

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return 'closed';
  }
}

/** Fills up to `size` MB and says on stderr how it ended when it could not. */
async function fill(path: string, size: number): Promise<void> {
  await using file = await open(path, 'w');
  const block = Buffer.alloc(megabyte, 1);
  try {
    for (let written = 0; written < size; written += 1) await file.write(block);
  } catch (err) {
    writeSync(2, `fake-claude: ${String(err)}\n`);
  }
}

function logEntry(event: string): string {
  const entry = { event, run: process.env['GATEHOUSE_RUN'] ?? null, pid: process.pid };
  return `${JSON.stringify({ ...entry, at: Date.now() })}\n`;
}

function keepLog(path: string): void {
  appendFileSync(path, logEntry('start'));
  process.once('exit', () => appendFileSync(path, logEntry('stop')));
}

/** Goes on when the other end has noted it. */
async function holdLine(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(logEntry('start'));
  await once(socket, 'data');
  socket.on('error', () => {}).unref();
}

function forever(signal?: AbortSignal): Promise<void> {
  return sleepFor(2 ** 31 - 1, undefined, signal === undefined ? {} : { signal });
}

async function runTurn(prompt: string, signal: AbortSignal): Promise<void> {
  const lines = prompt.split('\n');
  const text = lines.filter((line) => !line.startsWith('@@')).join('\n');
  const turn: Turn = { text, signal, isAnswered: false };
  try {
    for (const line of lines.filter((candidate) => candidate.startsWith('@@'))) {
      const [, name = '', argument = ''] = /^@@(\S+) ?(.*)$/.exec(line) ?? [];
      const directive = directives[name];
      if (directive === undefined) throw new Error(`fake-claude knows no directive ${name}`);
      await directive(turn, argument);
    }
    if (!turn.isAnswered) writeAnswer(turn, text === '' ? 'ok' : text);
  } catch (err) {
    if (!signal.aborted) throw err;
    writeInterrupted(turn);
  }
}

type Conversation = { path: string | null; asked: string[]; isLost: boolean };

/** Kept as the real one does, where the flags say so: a line of JSON for each thing said. */
function openConversation(): Conversation {
  const [, kind, id] = /--(session-id|resume)=(\S+)/.exec(process.argv.join(' ')) ?? [];
  if (kind === undefined) return { path: null, asked: [], isLost: false };
  const project = process.cwd().replaceAll(/[^A-Za-z0-9]/g, '-');
  const dir = join(process.env['HOME'] ?? '/', '.claude', 'projects', project);
  mkdirSync(dir, { recursive: true });
  const path = join(dir, `${id}.jsonl`);
  const text = kind === 'resume' && existsSync(path) ? readFileSync(path, 'utf8') : '';
  const asked = text.split('\n').flatMap((line) => {
    try {
      return [String((JSON.parse(line) as Json)['asked'])];
    } catch {
      return [];
    }
  });
  return { path, asked, isLost: kind === 'resume' && asked.length === 0 };
}

const conversation = openConversation();

function noteAsked(prompt: string): void {
  conversation.asked.push(prompt);
  if (conversation.path === null) return;
  appendFileSync(conversation.path, `${JSON.stringify({ asked: prompt })}\n`);
}

function endLost(): never {
  const errors = ['No conversation found with session ID: fake'];
  const failed = { type: 'result', subtype: 'error_during_execution', is_error: true, errors };
  writeSync(1, `${JSON.stringify({ ...failed, num_turns: 0 })}\n`);
  process.exit(1);
}

let turns: Promise<void> = Promise.resolve();
let current = new AbortController();

function answerControl(id: unknown, request: Json): void {
  const answer = (response: Json): void =>
    void writeLine({ type: 'control_response', response: { ...response, request_id: id } });
  switch (request['subtype']) {
    case 'initialize':
      told['system'] = request['systemPrompt'] ?? null;
      told['jsonSchema'] = request['jsonSchema'] ?? null;
      return answer({
        subtype: 'success',
        response: { commands: [], models: [], pid: process.pid },
      });
    case 'set_model':
      told['model'] = request['model'];
      return answer({ subtype: 'success', response: { model: request['model'] } });
    case 'apply_flag_settings': {
      const settings = request['settings'] as Json;
      told['model'] = settings['model'] ?? told['model'];
      told['effort'] = settings['effortLevel'] ?? told['effort'];
      return answer({ subtype: 'success' });
    }
    case 'interrupt':
      if (isDeafToInterrupt) return;
      answer({ subtype: 'success', response: { still_queued: [] } });
      return current.abort();
    default:
      answer({ subtype: 'error', error: 'Unsupported control request subtype' });
  }
}

function obey(line: string): void {
  const message = JSON.parse(line) as Json;
  if (message['type'] === 'control_request') {
    answerControl(message['request_id'], message['request'] as Json);
  }
  if (message['type'] !== 'user') return;
  const { content } = message['message'] as { content: string | { text?: string }[] };
  const prompt =
    typeof content === 'string' ? content : content.map((block) => block.text ?? '').join('');
  if (conversation.isLost) endLost();
  noteAsked(prompt);
  current = new AbortController();
  const { signal } = current;
  isInitWritten = false;
  turns = turns.then(() => runTurn(prompt, signal));
}

process.stdin.setEncoding('utf8');
let rest = '';
process.stdin.on('data', (chunk: string) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  for (const line of lines) obey(line);
});
