// Programs of ours start quicker when Node finds their code compiled: a run of the tests starts thousands.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, join, resolve } from 'node:path';

const cacheDir = resolve(import.meta.dirname, '../../node_modules/.cache/gatehouse');

/** For the environment of a process that Node runs. */
export const quickStart = { NODE_COMPILE_CACHE: join(cacheDir, 'compiled') } as const;

/** The path of the same program without its types, which Node would take away at each start. */
export function withoutTypes(path: string): string {
  const source = readFileSync(path, 'utf8');
  const digest = createHash('sha256').update(source).digest('hex').slice(0, 12);
  const stripped = join(cacheDir, `${basename(path, '.ts')}-${digest}.mjs`);
  if (existsSync(stripped)) return stripped;
  mkdirSync(cacheDir, { recursive: true });
  // Of several test files that do this at once, each sees it whole.
  const unfinished = `${stripped}.${process.pid}`;
  writeFileSync(unfinished, stripTypeScriptTypes(source));
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, stripped);
  return stripped;
}
