import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The first file of that name that may be executed, or null. @param path as in the PATH variable. */
export async function findExecutable(name: string, path: string): Promise<string | null> {
  for (const directory of path.split(delimiter).filter(Boolean)) {
    const candidate = join(directory, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return null;
}

export async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
