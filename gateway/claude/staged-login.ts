// The copy of a login that runs see, kept in step with the operator's own: a new sign-in goes in, a refresh by a run comes out.
import { chown, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { credentialsFileName } from './claude-credential.ts';
import { readLoginFile, replaceLoginFile } from './login-file.ts';
import type { LoginFile } from './login-file.ts';

export type StagedLogin = {
  /** Brings both files to the newest state, one call after the other, and tells when the access token expires. */
  synchronise: () => Promise<number | null>;
  /** Changes with what is staged; empty while nothing is. */
  stagedName: () => string;
};

export type StagedLoginOptions = {
  configDir: string;
  stagedDir: string;
  /** The user that runs have under a root gateway. */
  runUid: number | null;
};

type Owner = { uid: number; gid: number };

export function createStagedLogin({
  configDir,
  stagedDir,
  runUid,
}: StagedLoginOptions): StagedLogin {
  const original = join(configDir, credentialsFileName);
  const staged = join(stagedDir, credentialsFileName);
  const runOwner = runUid === null ? null : { uid: runUid, gid: runUid };
  let stagedDigest: string | null = null;
  let last: Promise<unknown> = Promise.resolve();

  const synchroniseNow = async (): Promise<number | null> => {
    const outside = await readLoginFile(original, { followLinks: true });
    if (outside === null) {
      await rm(staged, { recursive: true, force: true });
      stagedDigest = null;
      return null;
    }
    const inside = await readLoginFile(staged, { followLinks: false });
    if (inside !== null && isRefreshOf(inside, outside, stagedDigest)) {
      await replaceLoginFile(original, inside.bytes, await stat(original));
      stagedDigest = inside.digest;
      return inside.expiresAt;
    }
    if (inside?.digest !== outside.digest) {
      await emptyDirectory(stagedDir, runOwner);
      await replaceLoginFile(staged, outside.bytes, runOwner);
    }
    stagedDigest = outside.digest;
    return outside.expiresAt;
  };
  return {
    synchronise() {
      const next = last.then(synchroniseNow, synchroniseNow);
      last = next.catch(() => {});
      return next;
    },
    stagedName: () => stagedDigest ?? '',
  };
}

/**
 * Whether a run has refreshed what was staged, and nobody has signed in outside meanwhile. After a restart nobody knows what was
 * staged: then the later expiry is the newer file, and the older one's refresh token is used up.
 */
function isRefreshOf(inside: LoginFile, outside: LoginFile, stagedDigest: string | null): boolean {
  if (inside.digest === outside.digest) return false;
  if (stagedDigest !== null) return outside.digest === stagedDigest;
  return (inside.expiresAt ?? 0) > (outside.expiresAt ?? 0);
}

async function emptyDirectory(path: string, owner: Owner | null): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner !== null) await chown(path, owner.uid, owner.gid);
  for (const name of await readdir(path)) {
    await rm(join(path, name), { recursive: true, force: true });
  }
}
