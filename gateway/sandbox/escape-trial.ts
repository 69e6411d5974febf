// Real attempts to get out of the sandbox, made from inside it with the command line that runs get.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

import type { Clock } from '#shared/clock.ts';

import { launchCommand } from './launch-command.ts';
import { processesMarked, signalAll } from './process-table.ts';
import { searchPath } from './program-file.ts';
import { insideSandbox, runDirectoryAt } from './run-directory-layout.ts';
import { makeRunDirectory, removeRunDirectory } from './run-directory.ts';
import type { Sandbox, SandboxTier } from './sandbox-tier.ts';
import { runMarker, startSandboxed } from './sandboxed-process.ts';
import type { SandboxedProcess } from './sandboxed-process.ts';
import { runUserOf } from './workspace-mount.ts';

export type EscapeAttempt = {
  name: string;
  /** What was got outside; null when the sandbox held. */
  got: string | null;
  /** The tier is known not to stop it: SECURITY.md says so. */
  isKnown: boolean;
};

export class EscapeTrialError extends Error {
  override readonly name = 'EscapeTrialError';
}

const leftBehind = 'process left behind';
const timeoutMs = 20_000;
const Outcomes = Compile(
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), { minProperties: 1 }),
);

/** What a tier lets through by its nature. */
const knownHoles: Record<SandboxTier, readonly string[]> = {
  bwrap: [],
  'bwrap-procbind': ['host processes', 'nested user namespace'],
  none: [],
};

/** Throws EscapeTrialError when the attempts could not be made. */
export async function tryToEscape(
  sandbox: Sandbox,
  options: { runsDir: string; dataDir: string; clock: Clock },
): Promise<EscapeAttempt[]> {
  const { runsDir, dataDir, clock } = options;
  await using opened = new AsyncDisposableStack();
  const outside = await mkdtemp(join(tmpdir(), 'gatehouse-outside-'));
  opened.defer(() => rm(outside, { recursive: true, force: true }));
  const root = await mkdtemp(join(runsDir, 'gatehouse-escape-'));
  opened.defer(() => removeRunDirectory(root));

  const targets = {
    outsideFile: join(outside, 'canary'),
    outsideText: randomBytes(16).toString('hex'),
    dataFiles: ['gateway.db', 'admin-token', 'gateway.lock']
      .map((name) => join(dataDir, name))
      .filter((path) => existsSync(path)),
    secret: randomBytes(16).toString('hex'),
    processName: `gatehouse-decoy-${randomBytes(8).toString('hex')}`,
  };
  await writeFile(targets.outsideFile, targets.outsideText, { mode: 0o644 });
  await chmod(outside, 0o755);
  const decoy = startDecoy(targets, clock);
  opened.defer(async () => {
    decoy.kill();
    await decoy.exited;
  });

  const outcomes = await attemptsInside(sandbox, root, JSON.stringify(targets), clock);
  const survivors = processesMarked(runMarker, (value) => value === basename(root));
  signalAll(survivors, 'SIGKILL');
  const survived = survivors.length === 0 ? null : 'it outlived the run';
  return Object.entries({ ...outcomes, [leftBehind]: survived }).map(([name, got]) => ({
    name,
    got,
    isKnown: knownHoles[sandbox.tier].includes(name),
  }));
}

/** A process of the gateway's own user, as the gateway is one: with a secret in its environment. */
function startDecoy(targets: { secret: string; processName: string }, clock: Clock) {
  const command = {
    file: '/bin/sh',
    args: ['-c', 'read _', targets.processName],
    cwd: '/',
    bwrapArguments: null,
    generations: 0,
  };
  return startSandboxed(command, { GATEHOUSE_DECOY: targets.secret }, clock);
}

async function attemptsInside(
  sandbox: Sandbox,
  root: string,
  targets: string,
  clock: Clock,
): Promise<Record<string, string | null>> {
  const script = join(root, 'escape-script.ts');
  await copyFile(join(import.meta.dirname, 'escape-script.ts'), script);
  await chmod(script, 0o644);
  const directory = runDirectoryAt(join(root, 'run'));
  makeRunDirectory(directory, runUserOf(sandbox, null));
  const command = launchCommand(sandbox, {
    program: { path: script, isScript: true, interpreter: nodeInside(sandbox.tier) },
    args: [],
    directory,
    loginDir: null,
  });
  const environment = {
    PATH: searchPath(sandbox.tier),
    HOME: insideSandbox.home,
    TMPDIR: insideSandbox.tmp,
    [runMarker]: basename(root),
  };
  return outcomesOf(startSandboxed(command, environment, clock), targets);
}

/** Named, since RUNS_DIR may lie on a file system without execution. */
function nodeInside(tier: SandboxTier): string {
  return tier === 'none' ? process.execPath : join(insideSandbox.programs, 'node');
}

async function outcomesOf(
  inside: SandboxedProcess,
  targets: string,
): Promise<Record<string, string | null>> {
  const timer = setTimeout(inside.kill, timeoutMs);
  inside.stdin.end(targets);
  const output = await text(inside.stdout).catch(() => '');
  const exit = await inside.exited;
  clearTimeout(timer);
  const outcomes = parseOutcomes(output);
  if (outcomes !== null) return outcomes;
  const said = inside.stderrTail().trim().split('\n').at(-1) ?? '';
  throw new EscapeTrialError(
    `the attempts inside did not finish (exit code ${exit.code ?? 'none'}${said === '' ? '' : `, ${said}`})`,
  );
}

function parseOutcomes(output: string): Record<string, string | null> | null {
  try {
    const value: unknown = JSON.parse(output);
    return Outcomes.Check(value) ? value : null;
  } catch {
    return null;
  }
}
