// The login as runs see it: a directory of our own with nothing in it but the credentials file. The CLI refreshes that file by
// rename, which a bound single file would refuse; what a run refreshed is carried back to the operator's login afterwards.
import { chown, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';

import { credentialsFileName } from './claude-credential.ts';
import { readLoginFile, replaceLoginFile } from './login-file.ts';

export type LoginLease = {
  dir: string;
  /** After the run's process has ended. */
  release: () => Promise<void>;
};

export type LoginDirectory = {
  /**
   * The directory for one run. Near the expiry of the access token it is given to one run at a time, until somebody has refreshed
   * it: refresh tokens are good for one use, and two runs that race for it log everybody out.
   */
  lease: (signal: AbortSignal) => Promise<LoginLease>;
};

const refreshWindowMs = 5 * 60_000;
const waitStepMs = 100;

export function createLoginDirectory(options: {
  configDir: string;
  stagedDir: string;
  /** The user that runs have under a root gateway. */
  runUid: number | null;
  clock: Clock;
}): LoginDirectory {
  const { stagedDir, runUid, clock } = options;
  const original = join(options.configDir, credentialsFileName);
  const staged = join(stagedDir, credentialsFileName);
  const runOwner = runUid === null ? null : { uid: runUid, gid: runUid };
  let stagedDigest: string | null = null;
  const refresh = { underWay: false };
  let busy: Promise<unknown> = Promise.resolve();

  /** Brings both files to the newest state: a new sign-in goes in, a refresh by a run comes out. */
  const synchronise = async (): Promise<number | null> => {
    const outside = await readLoginFile(original, { followLinks: true });
    const inside = await readLoginFile(staged, { followLinks: false });
    const refreshed = inside !== null && stagedDigest !== null && inside.digest !== stagedDigest;
    if (outside !== null && refreshed && outside.digest === stagedDigest) {
      const { uid, gid } = await stat(original);
      await replaceLoginFile(original, inside.bytes, { uid, gid });
      stagedDigest = inside.digest;
      return inside.expiresAt;
    }
    if (outside === null) {
      await rm(staged, { recursive: true, force: true });
      stagedDigest = null;
      return null;
    }
    if (inside?.digest !== outside.digest) {
      await emptyDirectory(stagedDir, runOwner);
      await replaceLoginFile(staged, outside.bytes, runOwner);
    }
    stagedDigest = outside.digest;
    return outside.expiresAt;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = busy.then(work, work);
    busy = next.catch(() => {});
    return next;
  };
  const isDue = (expiresAt: number | null): boolean =>
    expiresAt !== null && expiresAt - clock.now() < refreshWindowMs;

  return {
    async lease(signal) {
      let due = isDue(await inTurn(synchronise));
      while (due && refresh.underWay) {
        await clock.sleep(waitStepMs, signal);
        due = isDue(await inTurn(synchronise));
      }
      if (due) refresh.underWay = true;
      return {
        dir: stagedDir,
        release: async () => {
          try {
            await inTurn(synchronise);
          } finally {
            if (due) refresh.underWay = false;
          }
        },
      };
    },
  };
}

async function emptyDirectory(
  path: string,
  owner: { uid: number; gid: number } | null,
): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if (owner !== null) await chown(path, owner.uid, owner.gid);
  for (const name of await readdir(path)) {
    await rm(join(path, name), { recursive: true, force: true });
  }
}
