// The snippets of README run as they are printed there, against the real gateway with the real CLI.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startModelStub } from '../../cli/model-stub.ts';
import type { ModelStub } from '../../cli/model-stub.ts';
import { findExecutable } from '../../gateway/sandbox/executable-search.ts';
import { projectDir, startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';

const run = promisify(execFile);
const readme = readFileSync(join(projectDir, 'README.md'), 'utf8');
const path = process.env['PATH'] ?? '';
const python = await findExecutable('python3', path);

let model: ModelStub;
let gateway: TestGateway;
let dir: string;
let env: Record<string, string>;

beforeAll(async () => {
  model = await startModelStub();
  gateway = await startTestGateway({
    env: { CLAUDE_BIN: '', SANDBOX: 'require', ANTHROPIC_BASE_URL: model.url },
  });
  dir = await mkdtemp(join(tmpdir(), 'readme-'));
  const token = await gateway.mint('reader');
  env = { PATH: path, GATEHOUSE_URL: gateway.url, GATEHOUSE_TOKEN: token };
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await model[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

/** The code block that follows a sentence. */
function snippetAfter(sentence: string, language: string): string {
  const [, after = ''] = readme.split(sentence);
  const [, snippet] = new RegExp(`^\\s*\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(after) ?? [];
  if (snippet === undefined) throw new Error(`README has no ${language} after "${sentence}"`);
  return snippet;
}

const question = 'Name three uses of a gatehouse.';

test('the curl snippet gets an answer', async () => {
  const { stdout } = await run('sh', ['-c', snippetAfter('With curl:', 'sh')], { env });
  expect(JSON.parse(stdout)).toMatchObject({ ok: true, result: expect.stringContaining(question) });
});

test('the snippet with a file gets an answer about the file', async () => {
  const snippet = snippetAfter('Upload a file, then name its token in `files`. With curl:', 'sh');
  const { stdout } = await run('sh', ['-c', snippet], { env, cwd: projectDir });
  expect(JSON.parse(stdout)).toMatchObject({
    ...{ ok: true, result: expect.stringContaining('What is this file about?') },
  });
  const sent = JSON.stringify(model.calls.at(-1)?.body?.['messages']);
  expect(sent).toContain(JSON.stringify(readme));
  expect(sent).toContain('"title":"README.md"');
});

test('the snippet that comes back later sees the events and gets the answer', async () => {
  const sentence = 'so does `POST /run` with the header `Prefer: respond-async`. With curl:';
  const { stdout } = await run('sh', ['-c', snippetAfter(sentence, 'sh')], { env });
  expect(stdout).toMatch(/^event: run\.completed$/m);
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    ...{ status: 'ended', outcome: 'completed', result: expect.stringContaining(question) },
  });
});

test.skipIf(python === null)('the Python snippet gets an answer', async () => {
  const file = join(dir, 'ask.py');
  await writeFile(file, snippetAfter('With Python, standard library only:', 'python'));
  const { stdout } = await run(python ?? '', [file], { env });
  expect(stdout).toContain(question);
});

test.skipIf(python === null)('the Python snippet tells what went wrong', async () => {
  const file = join(dir, 'refused.py');
  await writeFile(file, snippetAfter('With Python, standard library only:', 'python'));
  const wrong = { ...env, GATEHOUSE_TOKEN: 'cf_wrong' };
  await expect(run(python ?? '', [file], { env: wrong })).rejects.toMatchObject({
    stderr: expect.stringContaining('unauthorized: '),
  });
});

test('the TypeScript snippet gets an answer', async () => {
  const file = join(dir, 'ask.ts');
  await writeFile(file, snippetAfter('With TypeScript, which Node 24 runs as it is:', 'ts'));
  const { stdout } = await run(process.execPath, [file], { env });
  expect(stdout).toContain(question);
});
