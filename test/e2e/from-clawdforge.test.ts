// The client on the page about moving over runs as it is printed there, against the real gateway with the real CLI.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { textReply } from '../../cli/model-stub-reply.ts';
import { systemText } from '../../cli/model-stub-request.ts';
import { findExecutable } from '../../gateway/sandbox/executable-search.ts';
import { startModelGateway } from '../support/model-gateway.ts';
import type { ModelGateway } from '../support/model-gateway.ts';
import { projectDir } from '../support/test-gateway.ts';

const page = readFileSync(join(projectDir, 'docs/from-clawdforge.md'), 'utf8');
const path = process.env['PATH'] ?? '';
const python = await findExecutable('python3', path);

let gateway: ModelGateway;
let dir: string;
let env: Record<string, string>;
beforeAll(async () => {
  gateway = await startModelGateway();
  // Also sets what the model answers from here on.
  await gateway.ask(textReply('```json\n["red", "green", "blue"]\n```'));
  dir = await mkdtemp(join(tmpdir(), 'clawdforge-'));
  await writeFile(join(dir, 'client.py'), /```python\n([\s\S]*?)```/.exec(page)?.[1] ?? '');
  env = { PATH: path, GATEHOUSE_URL: gateway.url, GATEHOUSE_TOKEN: await gateway.mint('moved') };
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

async function runClient(...args: string[]): Promise<string> {
  gateway.model.calls.length = 0;
  const client = [join(dir, 'client.py'), ...args];
  const { stdout } = await promisify(execFile)(python ?? '', client, { env });
  return stdout;
}

test.skipIf(python === null)('the client gets its result, duration and stop reason', async () => {
  expect(await runClient()).toMatch(/^\['red', 'green', 'blue'\]\n\d+ ms, end_turn\n$/);
  const [call] = gateway.model.calls;
  expect(call?.body?.['model']).toMatch(/^claude-sonnet-/);
  expect(systemText(call!)).toContain('Answer with JSON only.');
});

test.skipIf(python === null)('the client sends a file along by its token', async () => {
  const form = new FormData();
  form.append('ttl_secs', '60');
  form.append('file', new Blob(['colours of the canary']), 'colours.txt');
  const headers = { authorization: `Bearer ${env['GATEHOUSE_TOKEN']}` };
  const uploaded = await gateway.fetch('/files', { method: 'POST', headers, body: form });
  expect(uploaded).toMatchObject({
    status: 201,
    body: { file_token: expect.stringMatching(/^ff_/), ttl_secs: 60 },
  });
  await runClient(uploaded.body.file_token);
  expect(JSON.stringify(gateway.model.calls[0]?.body)).toContain('colours of the canary');
});
