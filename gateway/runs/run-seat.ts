// A claude process that has been started and waits to be told what to do, with the directory that it lives in.
import type { Clock } from '#shared/clock.ts';

import type { SpawnProfile } from '../claude/claude-arguments.ts';
import type { CredentialVariables } from '../claude/claude-environment.ts';
import type { ClaudeInstallation } from '../claude/claude-installation.ts';
import { prepareClaude } from '../claude/claude-process.ts';
import type { ClaudeProcess } from '../claude/claude-process.ts';
import { runDirectoryAt } from '../sandbox/run-directory-layout.ts';
import type { RunDirectory } from '../sandbox/run-directory-layout.ts';
import { makeRunDirectory, removeRunDirectory } from '../sandbox/run-directory.ts';
import type { Sandbox } from '../sandbox/sandbox-tier.ts';
import { runUserOf } from '../sandbox/workspace-mount.ts';
import type { Workspace } from '../workspaces/workspace.ts';

export type RunSeat = {
  directory: RunDirectory;
  claude: ClaudeProcess;
  installation: ClaudeInstallation;
  profile: SpawnProfile;
  /** On the monotonic clock. */
  startedAt: number;
};

export type SeatOptions = {
  sandbox: Sandbox;
  credential: { variables: CredentialVariables };
  baseUrl: string | null;
  limits: { outputBytes: number };
  clock: Clock;
};

/** What is fixed when the process starts. `marker` is in the environment of all its processes. */
export type SeatRequest = {
  marker: string;
  root: string;
  installation: ClaudeInstallation;
  profile: SpawnProfile;
  /** Where it finds the login; null for another credential. */
  loginDir: string | null;
  /** In place of a work directory of its own. */
  workspace?: Workspace | null;
};

/** Throws when its directory cannot be made; that a program does not start is told by its exit. */
export function startSeat(options: SeatOptions, request: SeatRequest): RunSeat {
  const { sandbox, credential, baseUrl, limits, clock } = options;
  const { marker, root, installation, profile, loginDir, workspace = null } = request;
  const directory = runDirectoryAt(root);
  makeRunDirectory(directory, runUserOf(sandbox, workspace));
  const startedAt = clock.monotonicMs();
  const claude = prepareClaude(
    {
      ...{ runId: marker, sandbox, program: installation.program, directory, profile },
      ...{ credential: credential.variables, loginDir, baseUrl, workspace },
      outputBytesMax: limits.outputBytes,
    },
    clock,
  );
  return { directory, claude, installation, profile, startedAt };
}

/** Ends what is left of it and takes its directory away. */
export async function clearSeat({ claude, directory }: RunSeat): Promise<void> {
  claude.kill();
  await claude.exited;
  await removeRunDirectory(directory.root);
}
