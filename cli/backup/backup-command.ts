// What the commands of backups have in common: signals stop them, and why they failed is one line on stderr.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { BackupError } from './backup-error.ts';

/** Gives the exit code: 0, or 1 when the work throws. */
export async function runBackupCommand(
  failure: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<0 | 1> {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new BackupError(`stopped by ${name}`)));
  }
  try {
    await work(stop.signal);
    return 0;
  } catch (err) {
    const reason = err instanceof Error ? err.message : String(err);
    process.stderr.write(`${failure}: ${reason}\n`);
    return 1;
  }
}

export function readVersion(): string {
  const path = join(import.meta.dirname, '../../package.json');
  const { version }: { version: string } = JSON.parse(readFileSync(path, 'utf8'));
  return version;
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The one directory that is named after `npm run <command> --`. */
export function requireOne(positionals: readonly string[], command: string): string {
  const [only, ...others] = positionals;
  if (only !== undefined && others.length === 0) return only;
  throw new BackupError(`name one backup: npm run ${command} -- <directory of the backup>`);
}
