// The claude program: there, working, and the version that the tests of this project pin.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

import { claudeEnvironment } from '../../gateway/claude/claude-environment.ts';
import { ClaudeUnavailableError } from '../../gateway/claude/claude-installation.ts';
import type { ClaudeInstallation, ClaudeLookup } from '../../gateway/claude/claude-installation.ts';
import { runDirectoryAt } from '../../gateway/sandbox/run-directory-layout.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

export const claudePackage = '@anthropic-ai/claude-code';

const versions = Type.Optional(Type.Record(Type.String(), Type.String()));
const PackageFile = Compile(Type.Object({ dependencies: versions, devDependencies: versions }));

export type ClaudePin = { version: string; section: 'dependencies' | 'devDependencies' };

export function readClaudePin(projectDir: string): ClaudePin {
  const content: unknown = JSON.parse(readFileSync(join(projectDir, 'package.json'), 'utf8'));
  if (PackageFile.Check(content)) {
    for (const section of ['dependencies', 'devDependencies'] as const) {
      const version = content[section]?.[claudePackage];
      if (version !== undefined) return { version, section };
    }
  }
  throw new Error(`package.json does not pin ${claudePackage}`);
}

export async function checkClaude(
  lookup: ClaudeLookup,
  pinned: string,
  bin: string | null,
): Promise<Finding[]> {
  try {
    return [judgeClaude(await lookup.current(), pinned, bin), judgeUpdater()];
  } catch (err) {
    if (!(err instanceof ClaudeUnavailableError)) throw err;
    const mend =
      bin === null ? 'npm ci installs the pinned one' : 'correct CLAUDE_BIN, or take it away';
    return [fail('claude', err.message, mend)];
  }
}

export function judgeClaude(
  { program, version }: ClaudeInstallation,
  pinned: string,
  bin: string | null,
): Finding {
  const seen = `${version}, ${program.path}`;
  if (/^\d+\.\d+\.\d+\S*/.exec(version)?.[0] === pinned) return pass('claude', seen);
  return warn(
    'claude',
    `${seen}: not ${pinned}, which package.json pins and the tests know`,
    bin === null
      ? 'npm ci installs the pinned one; npm run upgrade:claude changes the pin'
      : 'take CLAUDE_BIN away to use the pinned one, or npm run upgrade:claude to pin and test this one',
  );
}

/** Not the environment of the doctor, but what every run gets. */
function judgeUpdater(): Finding {
  const { DISABLE_AUTOUPDATER: isDisabled } = claudeEnvironment({
    runId: 'none',
    tier: 'bwrap',
    directory: runDirectoryAt('/'),
    credential: {},
    loginDir: null,
    baseUrl: null,
  });
  return isDisabled === '1'
    ? pass('claude updates itself', 'no: DISABLE_AUTOUPDATER is set for every run')
    : fail('claude updates itself', 'yes', 'report this: runs must get DISABLE_AUTOUPDATER=1');
}
