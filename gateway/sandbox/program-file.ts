// The one executable a sandbox shows: an ELF file, or a script together with the Node that may interpret it.
import { basename, dirname, join } from 'node:path';

import { insideSandbox } from './run-directory-layout.ts';
import type { SandboxTier } from './sandbox-tier.ts';

export type ProgramFile = {
  /** Real path on the host. */
  path: string;
  isScript: boolean;
  /** A program of the host that is to read the script, where the script itself lies on a file system without execution. */
  interpreter?: string;
};

/** Node of the gateway, bound beside a script so that `#!/usr/bin/env node` finds a recent one. */
const nodePath = process.execPath;

export function programInside(program: ProgramFile, tier: SandboxTier): string {
  if (tier === 'none') return program.path;
  return join(insideSandbox.programs, program.isScript ? basename(program.path) : 'claude');
}

/** The program as the first words of a command line. */
export function programWords(program: ProgramFile, tier: SandboxTier): string[] {
  const inside = programInside(program, tier);
  return program.interpreter === undefined ? [inside] : [program.interpreter, inside];
}

export function programBinds(program: ProgramFile): { from: string; to: string }[] {
  const binds = [{ from: program.path, to: programInside(program, 'bwrap') }];
  if (program.isScript) binds.push({ from: nodePath, to: join(insideSandbox.programs, 'node') });
  return binds;
}

/** Where there is somebody's directory to work in, nothing else is found: git, say, runs what a repository's configuration names. */
export const searchPathInWorkspace: string = insideSandbox.programs;

export function searchPath(tier: SandboxTier): string {
  const programs = tier === 'none' ? dirname(nodePath) : insideSandbox.programs;
  return `${programs}:/usr/local/bin:/usr/bin:/bin`;
}
