// The directory of one run: made before it starts, watched while it runs, gone when it has ended.
import { chownSync, mkdirSync } from 'node:fs';
import { chmod, opendir, lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';

import type { RunDirectory } from './run-directory-layout.ts';
import type { HostUser } from './workspace-mount.ts';

/**
 * At once: seven trips through the thread pool take four times as long, and more on a busy machine.
 * What is there already stays, as between the turns of a conversation.
 * @param owner the user that the run has under a root gateway; null when it is the gateway's own.
 */
export function makeRunDirectory(directory: RunDirectory, owner: HostUser | null): void {
  mkdirSync(directory.root, { recursive: true, mode: 0o700 });
  for (const path of [directory.work, directory.home, directory.tmp]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (owner !== null) chownSync(path, owner.uid, owner.gid);
  }
}

/** Removes it whatever is in it. Only after every process of the run has ended. */
export async function removeRunDirectory(root: string): Promise<void> {
  const remove = async (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    await remove();
  } catch {
    // Directories that the run made unreadable for its own user.
    await makeRemovable(root);
    await remove();
  }
}

async function makeRemovable(path: string): Promise<void> {
  await chmod(path, 0o700).catch(() => {});
  for await (const entry of await opendir(path)) {
    if (entry.isDirectory()) await makeRemovable(join(path, entry.name));
  }
}

/** Bytes on disk below `root`, counted up to `enough` and no further. Symbolic links are not followed. */
export async function directoryBytes(root: string, enough: number): Promise<number> {
  let bytes = 0;
  const pending = [root];
  for (let path = pending.pop(); path !== undefined && bytes < enough; path = pending.pop()) {
    const entries = await opendir(path).catch(() => []);
    for await (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) pending.push(child);
      const stats = await lstat(child).catch(() => null);
      // Blocks, not size: a sparse file is cheap and a thousand tiny ones are not.
      bytes += (stats?.blocks ?? 0) * 512;
      if (bytes >= enough) break;
    }
  }
  return bytes;
}
