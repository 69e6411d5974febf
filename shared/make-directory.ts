import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory and the missing ones above it, with this mode. Node's own recursive mkdir never returns below /proc, where
 * making a directory fails with ENOENT although the one above exists. Throws what mkdir throws.
 */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  if (await isDirectory(path)) return;
  const above = dirname(path);
  if (above !== path) await makeDirectory(above, mode);
  try {
    await mkdir(path, { mode });
  } catch (err) {
    // Somebody else was quicker.
    if (!(await isDirectory(path))) throw err;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
