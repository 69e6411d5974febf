import { StartError } from './errors.ts';
import { makeDirectory } from './make-directory.ts';

/** For the service alone. Throws StartError, which names the variable that the operator set. */
export async function openDirectory(path: string, variable: string): Promise<void> {
  try {
    await makeDirectory(path, 0o700);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`${variable} cannot be made: ${reason}`, { cause });
  }
}
