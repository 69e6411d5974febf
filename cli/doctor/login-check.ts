// The credentials file of a login: who may read it, and how long it is good for.
import { lstat, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { credentialsFileName } from '../../gateway/claude/claude-credential.ts';
import { readLoginFile } from '../../gateway/claude/login-file.ts';
import { fail, pass, warn } from './finding.ts';
import type { Finding } from './finding.ts';

/** @param signInMend how to sign in again. */
export async function checkLogin(
  configDir: string,
  signInMend: string,
  nowMs: number,
): Promise<Finding[]> {
  const path = join(configDir, credentialsFileName);
  if (!(await isThere(path))) return [];
  const file = await readLoginFile(path, { followLinks: true });
  if (file === null) return [fail('login', `${path} is not the file of a login`, signInMend)];
  const { mode } = await stat(path);
  return [
    (mode & 0o077) === 0
      ? pass('login file', `${path}, for its owner alone`)
      : fail('login file', `${path} can be read or written by others`, `chmod 600 ${path}`),
    judgeExpiry(file, signInMend, nowMs),
  ];
}

export function judgeExpiry(
  { expiresAt, canRefresh }: { expiresAt: number | null; canRefresh: boolean },
  signInMend: string,
  nowMs: number,
): Finding {
  const name = 'login expiry';
  if (expiresAt === null) return pass(name, 'the file tells none');
  const at = new Date(expiresAt).toISOString();
  if (expiresAt > nowMs) return pass(name, `good until ${at}`);
  return canRefresh
    ? warn(
        name,
        `the access token ran out at ${at}; the next run has to renew it`,
        `npm run doctor -- --probe shows whether that works; if not: ${signInMend}`,
      )
    : fail(name, `it ran out at ${at} and cannot be renewed`, signInMend);
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
