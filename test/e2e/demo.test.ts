import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { expect, onTestFinished, test } from 'vitest';

import { projectDir } from '../support/test-gateway.ts';

const run = promisify(execFile);

test('the demo shows an answer without an account and leaves nothing behind', async () => {
  const temporary = await mkdtemp(join(tmpdir(), 'demo-'));
  onTestFinished(() => rm(temporary, { recursive: true, force: true }));
  const { stdout, stderr } = await run(process.execPath, ['cli/demo.ts', '--once'], {
    cwd: projectDir,
    // A credential of the caller's must not matter.
    env: {
      PATH: process.env['PATH'] ?? '',
      TMPDIR: temporary,
      GATEWAY_PORT: '0',
      ANTHROPIC_API_KEY: 'a-key-the-demo-must-not-use',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9',
    },
  });
  expect(stdout).toContain('the model is an offline stub');
  const answer = JSON.parse(stdout.slice(stdout.indexOf('\n{'), stdout.lastIndexOf('}') + 1));
  expect(answer).toMatchObject({ ok: true, result: expect.stringContaining('Say hello') });
  expect(stderr).toMatch(/sandbox {6}bwrap/);
  expect(await readdir(temporary)).toEqual([]);
});
