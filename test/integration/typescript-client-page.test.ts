// docs/typescript-client.md as its reader follows it: the copy is made as it says, the snippets run as they stand there.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { projectDir, startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway } from '../support/test-gateway.ts';
import { takesKeyedUploads } from '../support/upload-form.ts';

const run = promisify(execFile);
const path = process.env['PATH'] ?? '';

let gateway: TestGateway;
let page: string;
let myApp: string;
let token: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  token = await gateway.mint('reader');
  page = await readFile(join(projectDir, 'docs/typescript-client.md'), 'utf8');
  myApp = await mkdtemp(join(tmpdir(), 'my-app-'));
  await run('sh', ['-c', snippets('sh')[0] ?? ''], {
    ...{ cwd: projectDir, env: { PATH: path, MY_APP: myApp } },
  });
  await symlink(join(projectDir, 'node_modules'), join(myApp, 'node_modules'));
  await writeFile(join(myApp, 'package.json'), '{ "type": "module" }');
});

afterAll(async () => {
  await gateway.close();
  await rm(myApp, { recursive: true, force: true });
});

function snippets(language: string): string[] {
  const blocks = page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, name, code = '']) => (name === language ? [code] : []));
}

async function runSnippet(index: number): Promise<string> {
  const file = join(myApp, `snippet-${index}.ts`);
  await writeFile(file, snippets('ts')[index] ?? '');
  const env = { PATH: path, GATEHOUSE_URL: gateway.url, GATEHOUSE_TOKEN: token };
  const { stdout, stderr } = await run(process.execPath, [file], { cwd: myApp, env });
  expect(stderr).toBe('');
  return stdout;
}

test('the first snippet asks, shows, fetches and fails as it says', async () => {
  const lines = (await runSnippet(0)).split('\n');
  expect(lines[0]).toBe('Name three uses of a gatehouse.');
  expect(lines[1]).toBe('Name a fourth.completed Name a fifth.');
  expect(lines[2]).toMatch(/^invalid_request timeout_secs must be at most 3600 req_/);
});

test('the second uploads a file and asks about it', async ({ skip }) => {
  skip(!(await takesKeyedUploads(gateway, token)), 'POST /files takes no key yet');
  expect(await runSnippet(1)).toContain('What is this?');
});
