// Where a conversation lies: work directory and the CLI's own files, kept from turn to turn.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { runDirectoryAt } from '../sandbox/run-directory-layout.ts';
import type { RunDirectory } from '../sandbox/run-directory-layout.ts';
import { directoryBytes, makeRunDirectory, removeRunDirectory } from '../sandbox/run-directory.ts';
import type { HostUser } from '../sandbox/workspace-mount.ts';

export type SessionDirectories = {
  of: (sessionId: string) => RunDirectory;
  /** Counted up to `enough` and no further. */
  bytes: (sessionId: string, enough: number) => Promise<number>;
  /** Everything the CLI has written down goes, the work stays. No process may be using it. */
  forget: (sessionId: string, owner: HostUser | null) => Promise<void>;
  remove: (sessionId: string) => Promise<void>;
};

export function createSessionDirectories(dir: string): SessionDirectories {
  const of = (sessionId: string): RunDirectory => runDirectoryAt(join(dir, sessionId));
  return {
    of,
    bytes: (sessionId, enough) => directoryBytes(of(sessionId).root, enough),
    async forget(sessionId, owner) {
      const directory = of(sessionId);
      // As a whole: what lies in it may be links of the run's making, which removing does not follow.
      for (const path of [directory.home, directory.tmp]) {
        await rm(path, { recursive: true, force: true });
      }
      makeRunDirectory(directory, owner);
    },
    remove: (sessionId) => removeRunDirectory(of(sessionId).root),
  };
}
