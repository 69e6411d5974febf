// Finds the strongest sandbox that works here, by starting the real command line with a self-check instead of claude.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import type { Clock } from '#shared/clock.ts';

import { findExecutable } from './executable-search.ts';
import { launchCommand } from './launch-command.ts';
import { searchPath } from './program-file.ts';
import { insideSandbox, runDirectoryAt } from './run-directory-layout.ts';
import { makeRunDirectory } from './run-directory.ts';
import { uidOfRunsUnderRoot } from './sandbox-tier.ts';
import type { RefusedTier, Sandbox, SandboxTools } from './sandbox-tier.ts';
import { runMarker } from './sandboxed-process.ts';
import { readSelfCheck, selfCheckScript } from './self-check.ts';
import { runShortProgram } from './short-program.ts';
import { explainRefusal } from './tier-refusal.ts';
import { runUserOf } from './workspace-mount.ts';

export type SandboxMode = 'auto' | 'require' | 'none';

export type ProbedSandbox = {
  sandbox: Sandbox;
  /** Stronger tiers that do not work here; empty when the strongest does. */
  refused: RefusedTier[];
};

const probeTimeoutMs = 10_000;
const installBubblewrap = 'apt-get install bubblewrap (or: npm run setup)';

export async function probeSandbox(
  mode: SandboxMode,
  options: { runsDir: string; path: string; isRoot: boolean; clock: Clock },
): Promise<ProbedSandbox> {
  const tools = await findTools(options.path);
  const runUid = options.isRoot ? uidOfRunsUnderRoot : null;
  const none: Sandbox = { tier: 'none', tools, runUid: null };
  if (mode === 'none') return { sandbox: none, refused: [] };
  const missing = missingTool(tools, options.isRoot);
  if (missing !== null) return { sandbox: none, refused: [{ tier: 'bwrap', ...missing }] };

  const refused: RefusedTier[] = [];
  for (const tier of ['bwrap', 'bwrap-procbind'] as const) {
    const sandbox: Sandbox = { tier, tools, runUid };
    const refusal = await tryTier(sandbox, options);
    if (refusal === null) return { sandbox, refused };
    refused.push({ tier, ...refusal });
  }
  return { sandbox: none, refused };
}

async function findTools(path: string): Promise<SandboxTools> {
  const [bwrap, choom, prlimit, setpriv] = await Promise.all(
    ['bwrap', 'choom', 'prlimit', 'setpriv'].map((name) => findExecutable(name, path)),
  );
  return {
    bwrap: bwrap ?? null,
    choom: choom ?? null,
    prlimit: prlimit ?? null,
    setpriv: setpriv ?? null,
  };
}

type Refusal = Omit<RefusedTier, 'tier'>;

function missingTool(tools: SandboxTools, isRoot: boolean): Refusal | null {
  if (tools.bwrap === null) {
    return { problem: 'bubblewrap is not installed', mend: installBubblewrap };
  }
  if (isRoot && tools.setpriv === null) {
    return {
      problem: 'setpriv is not installed, so root cannot be given up',
      mend: 'apt-get install util-linux',
    };
  }
  return null;
}

async function tryTier(
  sandbox: Sandbox,
  { runsDir, clock }: { runsDir: string; clock: Clock },
): Promise<Refusal | null> {
  const root = await mkdtemp(join(runsDir, 'gatehouse-probe-'));
  try {
    const script = join(root, 'self-check');
    await writeFile(script, selfCheckScript, { mode: 0o755 });
    const directory = runDirectoryAt(join(root, 'run'));
    makeRunDirectory(directory, runUserOf(sandbox, null));
    return await selfCheck(sandbox, script, directory, clock);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function selfCheck(
  sandbox: Sandbox,
  script: string,
  directory: ReturnType<typeof runDirectoryAt>,
  clock: Clock,
): Promise<Refusal | null> {
  const command = launchCommand(sandbox, {
    program: { path: script, isScript: true, interpreter: '/bin/sh' },
    args: [directory.root],
    directory,
    loginDir: null,
  });
  const environment = {
    PATH: searchPath(sandbox.tier),
    HOME: insideSandbox.home,
    TMPDIR: insideSandbox.tmp,
    // Not the same for everybody: what is left of it is swept by this name, on the whole host.
    [runMarker]: basename(dirname(directory.root)),
  };
  const end = await runShortProgram(command, environment, probeTimeoutMs, clock);
  if (end.code !== 0) return explainRefusal(end.startFailure?.message ?? end.stderrTail);
  const check = readSelfCheck(end.output);
  return check.ok
    ? null
    : { problem: check.problem, mend: 'Please report this: the sandbox was made, but leaks' };
}
