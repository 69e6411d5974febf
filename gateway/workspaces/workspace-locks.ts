// Who is writing in a workspace: one at a time, so that two sessions do not undo each other's work. Readers are free.
import { requestError } from '#shared/errors.ts';

import type { Workspace } from './workspace.ts';

export type WorkspaceLocks = {
  /** Throws a 409 that names the workspace. Asking again for one's own is nothing new. */
  acquire: (workspace: Pick<Workspace, 'name' | 'mode'>, holder: string) => void;
  /** Whatever it holds; nothing if it holds nothing. */
  release: (holder: string) => void;
};

/** In memory: whoever goes on after a restart asks again. */
export function createWorkspaceLocks(): WorkspaceLocks {
  const holders = new Map<string, string>();
  return {
    acquire({ name, mode }, holder) {
      if (mode === 'ro') return;
      const current = holders.get(name);
      if (current !== undefined && current !== holder) {
        throw requestError(
          'conflict',
          `another session is writing in the workspace ${name}: end it, or wait until it has ended`,
          { details: { field: 'workspace', value: name } },
        );
      }
      holders.set(name, holder);
    },
    release(holder) {
      for (const [name, each] of holders) {
        if (each === holder) holders.delete(name);
      }
    },
  };
}
