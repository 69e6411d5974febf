// The login as runs see it: a directory of our own with nothing in it but the credentials file. The CLI refreshes that file by
// rename, which a bound single file would refuse; what a run refreshed is carried back to the operator's login afterwards.
import type { Clock } from '#shared/clock.ts';

import { createStagedLogin } from './staged-login.ts';
import type { StagedLogin, StagedLoginOptions } from './staged-login.ts';

export type LoginLease = {
  dir: string;
  /** After the run's process has ended. */
  release: () => Promise<void>;
};

export type LoginDirectory = {
  dir: string;
  /**
   * The directory for one run. Near the expiry of the access token it is given to one run at a time, until somebody has refreshed
   * it: refresh tokens are good for one use, and two runs that race for it log everybody out.
   * @param user the one that the run has under a root gateway; each has a copy of its own, which others cannot read.
   */
  lease: (signal: AbortSignal, user?: { uid: number } | null) => Promise<LoginLease>;
};

type Copy = { dir: string; login: StagedLogin };

const refreshWindowMs = 5 * 60_000;
const waitStepMs = 100;

export function createLoginDirectory(
  options: StagedLoginOptions & { clock: Clock },
): LoginDirectory {
  const { clock } = options;
  const copies = new Map<number | null, Copy>();
  const copyFor = (uid: number | null): Copy => {
    const known = copies.get(uid);
    if (known !== undefined) return known;
    const dir = uid === options.runUid ? options.stagedDir : `${options.stagedDir}-${uid}`;
    const login = createStagedLogin({ ...options, stagedDir: dir, runUid: uid });
    const copy = { dir, login };
    copies.set(uid, copy);
    return copy;
  };
  const refresh = { underWay: false };

  return {
    dir: options.stagedDir,
    async lease(signal, user) {
      const { dir, login } = copyFor(user?.uid ?? options.runUid);
      const isDue = async (): Promise<boolean> => {
        const expiresAt = await login.synchronise();
        return expiresAt !== null && expiresAt - clock.now() < refreshWindowMs;
      };
      let due = await isDue();
      while (due && refresh.underWay) {
        await clock.sleep(waitStepMs, signal);
        due = await isDue();
      }
      if (due) refresh.underWay = true;
      return {
        dir,
        async release() {
          try {
            await login.synchronise();
            // What this run refreshed has ended the tokens that the other copies hold.
            for (const each of copies.values()) await each.login.synchronise();
          } finally {
            if (due) refresh.underWay = false;
          }
        },
      };
    },
  };
}
