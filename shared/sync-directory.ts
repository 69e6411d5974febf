import { closeSync, fsyncSync, openSync } from 'node:fs';

/** What was made in a directory or renamed is there after a power cut only once the directory itself is on disk. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
