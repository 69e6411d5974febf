// The doctor's probe with the real CLI in the real sandbox, and the model stub behind it.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { errorReply } from '../../cli/model-stub-reply.ts';
import { userText } from '../../cli/model-stub-request.ts';
import { startModelStub } from '../../cli/model-stub.ts';
import { pinnedClaude, runDoctor } from '../support/doctor-run.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
});
afterEach(() => rm(dataDir, { recursive: true }));

it('asks the model once, finds everything well, and makes nothing', async () => {
  await using model = await startModelStub();
  const env = { ANTHROPIC_BASE_URL: model.url, PATH: process.env['PATH'] ?? '' };
  const { code, about, complaints } = await runDoctor(dataDir, env, ['--probe']);
  expect(about('probe')).toMatchObject([
    { status: 'pass', seen: expect.stringMatching(/^claude-sonnet-\S+ answered in .* tokens in/) },
  ]);
  expect(about('claude')).toMatchObject([
    { seen: expect.stringContaining(`${pinnedClaude} (Claude Code)`) },
    { status: 'pass' },
  ]);
  expect(complaints).toEqual(['warn sign-in']);
  expect(code).toBe(0);
  expect(model.calls.map(userText)).toEqual(['Answer with the one word: ready']);
  expect(await readdir(dataDir)).toEqual([]);
});

it('says what to do when the credential is not accepted', async () => {
  await using model = await startModelStub({ reply: () => errorReply(401) });
  const { code, about } = await runDoctor(dataDir, { ANTHROPIC_BASE_URL: model.url }, ['--probe']);
  expect(about('probe')).toMatchObject([
    { status: 'fail', mend: expect.stringContaining('set a valid ANTHROPIC_API_KEY') },
  ]);
  expect(code).toBe(1);
});
