// A directory of the host that one run gets in place of a work directory of its own.
import type { Sandbox } from './sandbox-tier.ts';

export type WorkspaceMount = {
  /** Real path on the host. */
  path: string;
  mode: WorkspaceMode;
  /** Whose directory it is. */
  owner: HostUser;
};

export const workspaceModes = ['ro', 'rw'] as const;
export type WorkspaceMode = (typeof workspaceModes)[number];

export type HostUser = { uid: number; gid: number };

/**
 * The user that a run gets; null for the gateway's own. Under a root gateway a run in a workspace is its owner: that one can read
 * it, and finds what the run wrote as if written by himself. A workspace of root's is for reading, by the usual user of runs.
 */
export function runUserOf(sandbox: Sandbox, workspace: WorkspaceMount | null): HostUser | null {
  const { runUid } = sandbox;
  if (runUid === null) return null;
  if (workspace === null || workspace.owner.uid === 0) return { uid: runUid, gid: runUid };
  const { uid, gid } = workspace.owner;
  // Root's group may read more of the host than the owner.
  return { uid, gid: gid === 0 ? uid : gid };
}
