// Messages that are no business of a run: appended to a file in the directory of their agent, whole or not at all, once.
import { constants } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { syncDirectory } from '#shared/sync-directory.ts';

export const inboxFileName = '.claude-vault-inbox.md';

/** `marker` stands in the text and nowhere else: what is there already is not written again. Throws when something else than a file is there. */
export async function appendToInbox(
  directory: string,
  text: string,
  marker: string,
): Promise<void> {
  const path = join(directory, inboxFileName);
  const before = await readPlainFile(path);
  if (before.includes(marker)) return;
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(before + text);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
  syncDirectory(directory);
}

/** Empty when there is none. A link is not followed: whoever can write there could make the watcher read or write elsewhere. */
async function readPlainFile(path: string): Promise<string> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw new Error(`${path} is not a plain file`);
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return '';
    throw err;
  }
}
