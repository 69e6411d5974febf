import { renameSync, writeFileSync } from 'node:fs';

/** Whole or not at all, and for its user alone. */
export function writeSecretFile(path: string, text: string): void {
  const draft = `${path}.new`;
  writeFileSync(draft, `${text}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
}
