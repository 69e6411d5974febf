// A workspace: a directory of the host that the operator has given a name, for apps to whom he grants it.
import { realpath, stat } from 'node:fs/promises';

import type { ToolSet } from '../claude/claude-arguments.ts';
import type { SandboxTier } from '../sandbox/sandbox-tier.ts';
import type { WorkspaceMode, WorkspaceMount } from '../sandbox/workspace-mount.ts';

export type Workspace = WorkspaceMount & { name: string };

/** The directory is not what it was when the gateway started, or nothing would confine a run to it. */
export class WorkspaceUnusableError extends Error {
  override readonly name = 'WorkspaceUnusableError';
}

export function toolsFor({ mode }: { mode: WorkspaceMode }): ToolSet {
  return mode === 'rw' ? 'write' : 'read';
}

/** To be called before each run: what was checked at the start may have been replaced since, by a link, say. */
export async function checkUsable(workspace: Workspace, tier: SandboxTier): Promise<void> {
  const { name, path, owner } = workspace;
  const unusable = (reason: string): WorkspaceUnusableError =>
    new WorkspaceUnusableError(`The workspace ${name} cannot be used: ${reason}.`);
  if (tier === 'none') throw unusable('there is no sandbox on the gateway');
  const [real, stats] = await Promise.all([realpath(path), stat(path)]).catch(() => {
    throw unusable('its directory is gone');
  });
  if (real !== path || !stats.isDirectory() || stats.uid !== owner.uid) {
    throw unusable('its directory is not the one it was when the gateway started');
  }
}
