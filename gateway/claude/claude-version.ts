// Asks a claude for its version, in the sandbox that its runs get: a program that cannot start there is found out here.
import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';

import type { Clock } from '#shared/clock.ts';

import { launchCommand } from '../sandbox/launch-command.ts';
import type { ProgramFile } from '../sandbox/program-file.ts';
import { runDirectoryAt } from '../sandbox/run-directory-layout.ts';
import { makeRunDirectory, removeRunDirectory } from '../sandbox/run-directory.ts';
import type { Sandbox } from '../sandbox/sandbox-tier.ts';
import { runShortProgram } from '../sandbox/short-program.ts';
import { runUserOf } from '../sandbox/workspace-mount.ts';
import { claudeEnvironment } from './claude-environment.ts';
import { ClaudeUnavailableError } from './claude-installation.ts';

const timeoutMs = 20_000;
const versionCharsMax = 200;

export async function readClaudeVersion(
  program: ProgramFile,
  options: { sandbox: Sandbox; runsDir: string; clock: Clock },
): Promise<string> {
  const { sandbox, runsDir, clock } = options;
  const root = await mkdtemp(join(runsDir, 'gatehouse-version-'));
  const directory = runDirectoryAt(root);
  try {
    makeRunDirectory(directory, runUserOf(sandbox, null));
    const command = launchCommand(sandbox, {
      program,
      args: ['--version'],
      directory,
      loginDir: null,
    });
    const environment = claudeEnvironment({
      // Not the same for everybody: what is left of it is swept by this name, on the whole host.
      runId: basename(root),
      tier: sandbox.tier,
      directory,
      credential: {},
      loginDir: null,
      baseUrl: null,
    });
    const end = await runShortProgram(command, environment, timeoutMs, clock);
    const line = end.output.trim().split('\n')[0] ?? '';
    if (end.code !== 0 || line === '') throw broken(program, end.stderrTail);
    return line.slice(0, versionCharsMax);
  } finally {
    await removeRunDirectory(root);
  }
}

function broken(program: ProgramFile, stderr: string): ClaudeUnavailableError {
  const said = stderr.trim().split('\n').at(-1) ?? '';
  return new ClaudeUnavailableError(
    'broken',
    `${program.path} --version did not work${said === '' ? '' : `: ${said.slice(0, 200)}`}`,
  );
}
