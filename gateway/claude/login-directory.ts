// The login as runs see it: a directory of our own with nothing in it but the credentials file. The CLI refreshes that file by
// rename, which a bound single file would refuse; what a run refreshed is carried back to the operator's login afterwards.
import type { Clock } from '#shared/clock.ts';

import { createStagedLogin } from './staged-login.ts';
import type { StagedLogin, StagedLoginOptions } from './staged-login.ts';

export type LoginLease = {
  dir: string;
  /** The run may be refreshing the login at this moment: it must not be cut off. */
  mayBeRefreshing: () => boolean;
  /** After the run's process has ended. */
  release: () => Promise<void>;
};

export type LoginDirectory = {
  /** For the usual user of runs. */
  dir: string;
  /**
   * The directory for one run. Near the expiry of the access token it is given to one run at a time, until somebody has refreshed
   * it: refresh tokens are good for one use, and two runs that race for it log everybody out.
   * @param user the one that the run has under a root gateway; each has a copy of its own, which others cannot read.
   */
  lease: (signal: AbortSignal, user?: { uid: number } | null) => Promise<LoginLease>;
  /**
   * Which login a process that starts now would read, a name that changes with it; null while nothing should start that is not a run,
   * because the access token is near its expiry.
   */
  forPreparing: () => Promise<string | null>;
  /** The name of the login that runs see now. */
  current: () => string;
};

type Copy = { dir: string; login: StagedLogin; expiresAt: number | null };

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
    const copy = { dir, login, expiresAt: null };
    copies.set(uid, copy);
    return copy;
  };
  const own = copyFor(options.runUid);
  const refresh = { underWay: false };
  const isNearExpiry = ({ expiresAt }: Copy): boolean =>
    expiresAt !== null && expiresAt - clock.now() < refreshWindowMs;
  const synchronise = async (copy: Copy): Promise<void> => {
    copy.expiresAt = await copy.login.synchronise();
  };
  const isDue = async (copy: Copy): Promise<boolean> => {
    await synchronise(copy);
    return isNearExpiry(copy);
  };

  return {
    dir: own.dir,
    async lease(signal, user) {
      const copy = copyFor(user?.uid ?? options.runUid);
      let due = await isDue(copy);
      while (due && refresh.underWay) {
        await clock.sleep(waitStepMs, signal);
        due = await isDue(copy);
      }
      if (due) refresh.underWay = true;
      return {
        dir: copy.dir,
        mayBeRefreshing: () => due || isNearExpiry(copy),
        async release() {
          try {
            await synchronise(copy);
            // What this run refreshed has ended the tokens that the other copies hold.
            for (const each of copies.values()) if (each !== copy) await synchronise(each);
          } finally {
            if (due) refresh.underWay = false;
          }
        },
      };
    },
    forPreparing: async () => ((await isDue(own)) ? null : own.login.stagedName()),
    current: own.login.stagedName,
  };
}
