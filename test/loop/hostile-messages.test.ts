// What people write on the page is text and nothing else, all the way to the model (AA-10, AA-12; CV-62): with the real CLI.
import { createHash } from 'node:crypto';
import { mkdtempDisposableSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { textReply } from '../../cli/model-stub-reply.ts';
import { userText } from '../../cli/model-stub-request.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import type { ModelStub } from '../../cli/model-stub.ts';
import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWorld } from '../support/loop-world.ts';

const canary = 'canary-77ad-of-a-file-outside';
const fileName = 'canary.txt';

let opened: AsyncDisposableStack;
let model: ModelStub;
let world: LoopWorld;
let outside: string;
let configDir: string;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-canary-'));
  opened.defer(() => directory.remove());
  outside = directory.path;
  writeFileSync(join(outside, fileName), canary, { mode: 0o644 });
  const config = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-config-'));
  opened.defer(() => config.remove());
  configDir = config.path;
  model = opened.use(await startModelStub({ reply: () => textReply('read as text') }));
  world = opened.use(
    await startLoopWorld({
      gatewayEnv: {
        ...{ CLAUDE_BIN: '', SANDBOX: 'require', ANTHROPIC_BASE_URL: model.url },
        ...{ SHUTDOWN_GRACE_SECS: '0', CLAUDE_CONFIG_DIR: configDir },
      },
      settings: { session: 'thread' },
    }),
  );
  await world.startWatcher();
});
afterAll(() => opened.disposeAsync());

/** Every file and what is in it. */
function digestOf(directory: string): string {
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true });
  const hash = createHash('sha256');
  for (const file of files.filter((each) => each.isFile())) {
    const path = join(file.parentPath, file.name);
    hash.update(path).update(readFileSync(path));
  }
  return hash.digest('hex');
}

/** In a conversation of its own; gives what the model was asked. */
async function asked(content: string): Promise<string> {
  model.calls.length = 0;
  const { event_id: id } = await world.say(content);
  const answer = await world.answerTo(id);
  expect(answer).toMatchObject({ event_type: 'assistant_message', content: 'read as text' });
  const [call, ...more] = model.calls;
  if (call === undefined) throw new Error('the model was not asked');
  expect(more).toEqual([]);
  expect(call.rawBody.toString()).not.toContain(canary);
  return userText(call);
}

test.each<[name: string, content: (path: string) => string]>([
  ['an absolute @path', (path) => `@${path}`],
  ['a relative @path', (path) => `@../../../../../../../..${path}`],
  ['an @directory', (path) => `what is in @${join(path, '..')}/ ?`],
  ['an @path in a code fence', (path) => `\`\`\`\n@${path}\n\`\`\``],
])('%s reads no file', async (_name, contentOf) => {
  const content = contentOf(join(outside, fileName));
  expect(await asked(content)).toBe(content);
});

test('commands, options and odd characters arrive as they were written, and change nothing', async () => {
  const before = digestOf(configDir);
  const texts = [
    ...['/config autoCompact=false', '/model opus', '/clear', '/compact', '/rename x', '/mcp'],
    ...['--help', '-p', '--dangerously-skip-permissions', '$(id) `id` "quoted" \'so\' \\'],
    'two\nlines\r\nand \u2028 more, שלום \u202eabc\u202c, 👩‍👩‍👧 e\u0301, <script>alert(1)</script>',
  ];
  for (const text of texts) expect(await asked(text)).toBe(text);
  const long = 'ä😀"\\ line of text\n'.repeat(14_000);
  expect(Buffer.byteLength(long)).toBeGreaterThan(300_000);
  expect(await asked(long)).toBe(long);
  expect(digestOf(configDir)).toBe(before);
});

test('the second message of a conversation comes with the first', async () => {
  const thread = { metadata: { thread: 'fruit' } };
  await world.answerTo((await world.say('remember the apple', thread)).event_id);
  model.calls.length = 0;
  await world.answerTo((await world.say('which one was it?', thread)).event_id);
  const sent = model.calls[0]?.rawBody.toString() ?? '';
  expect(sent).toContain('remember the apple');
  expect(sent).toContain('which one was it?');
});
