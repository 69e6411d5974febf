// npm run doctor -- --probe: a tiny run on the path of every run, with the fake CLI.
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { pinnedClaude, runDoctor } from '../support/doctor-run.ts';
import type { Diagnosis } from '../support/doctor-run.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { createProgramDirectory } from '../support/stand-in-program.ts';
import type { ProgramDirectory } from '../support/stand-in-program.ts';

let programs: ProgramDirectory;
let claude: string;
let dataDir: string;

beforeEach(async () => {
  programs = createProgramDirectory();
  claude = programs.fakeOfVersion('claude-of-the-pin.ts', pinnedClaude);
  dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-'));
  await mkdir(join(dataDir, 'runs'), { mode: 0o700 });
});
afterEach(async () => {
  programs[Symbol.dispose]();
  await rm(dataDir, { recursive: true });
});

function doctor(env: Record<string, string> = {}, args: string[] = []): Promise<Diagnosis> {
  return runDoctor(dataDir, { CLAUDE_BIN: claude, ...env }, args);
}

describe('the probe', () => {
  it('makes one run that leaves nothing, and says what it is about to spend', async () => {
    const { code, about, stderr } = await doctor({}, ['--probe']);
    expect(about('probe')).toMatchObject([
      { status: 'pass', seen: expect.stringContaining('sonnet answered in') },
    ]);
    expect(stderr).toContain('one real run');
    expect(code).toBe(0);
    expect(await readdir(join(dataDir, 'runs'))).toEqual([]);
    const { about: later } = await doctor();
    expect(later('database')).toMatchObject([{ seen: expect.stringContaining('not there yet') }]);
    expect(later('probe')).toEqual([]);
  });

  it.each([
    ['@@error 401', 'auth: ', 'ANTHROPIC_API_KEY'],
    ['@@error 404', 'model_unavailable: ', 'DEFAULT_MODEL'],
    ['@@exit 3', 'crashed: ', 'README'],
  ])('after %s says how it went and what to do', async (directive, seen, mend) => {
    const broken = fakeThatObeys(directive);
    const { code, about } = await doctor({ CLAUDE_BIN: broken }, ['--probe']);
    expect(about('probe')).toMatchObject([
      {
        ...{ status: 'fail', seen: expect.stringContaining(seen) },
        mend: expect.stringContaining(mend),
      },
    ]);
    expect(code).toBe(1);
  });

  it('is not made without a credential', async () => {
    const { about } = await doctor({ ANTHROPIC_API_KEY: '' }, ['--probe']);
    expect(about('probe')).toMatchObject([{ status: 'fail', seen: 'not made: no credential' }]);
  });

  it('leaves a login alone that a running gateway is about to renew', async () => {
    const login = { accessToken: 'a', refreshToken: 'b', expiresAt: Date.now() + 60_000 };
    await mkdir(join(dataDir, '.claude'));
    await writeFile(
      join(dataDir, '.claude/.credentials.json'),
      JSON.stringify({ claudeAiOauth: login }),
      { mode: 0o600 },
    );
    const env = { HOME: dataDir, CLAUDE_BIN: claude, ANTHROPIC_API_KEY: '' };
    await using gateway = await startGatewayProcess({ dataDir, keep: true, env });
    const { about } = await doctor(env, ['--probe']);
    expect(about('probe')).toMatchObject([{ seen: expect.stringContaining('renewed first') }]);
    expect(gateway.child.exitCode).toBe(null);
  });
});

/** The fake CLI, which takes every prompt for this directive. */
function fakeThatObeys(directive: string): string {
  const path = programs.fakeOfVersion('obedient.ts', pinnedClaude);
  const source = readFileSync(path, 'utf8');
  const lines = 'const lines = prompt';
  expect(source).toContain(lines);
  writeFileSync(path, source.replace(lines, `const lines = '${directive}'`));
  return path;
}
