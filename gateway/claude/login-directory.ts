// The login as runs see it: a directory of our own with nothing in it but the credentials file. The CLI refreshes that file by
// rename, which a bound single file would refuse; what a run refreshed is carried back to the operator's login afterwards.
import type { Clock } from '#shared/clock.ts';

import { createStagedLogin } from './staged-login.ts';
import type { StagedLoginOptions } from './staged-login.ts';

export type LoginLease = {
  dir: string;
  /** The run may be refreshing the login at this moment: it must not be cut off. */
  mayBeRefreshing: () => boolean;
  /** After the run's process has ended. */
  release: () => Promise<void>;
};

export type LoginDirectory = {
  dir: string;
  /**
   * The directory for one run. Near the expiry of the access token it is given to one run at a time, until somebody has refreshed
   * it: refresh tokens are good for one use, and two runs that race for it log everybody out.
   */
  lease: (signal: AbortSignal) => Promise<LoginLease>;
  /**
   * Which login a process that starts now would read, a name that changes with it; null while nothing should start that is not a run,
   * because the access token is near its expiry.
   */
  forPreparing: () => Promise<string | null>;
  /** The name of the login that runs see now. */
  current: () => string;
};

const refreshWindowMs = 5 * 60_000;
const waitStepMs = 100;

export function createLoginDirectory(
  options: StagedLoginOptions & { clock: Clock },
): LoginDirectory {
  const { clock } = options;
  const login = createStagedLogin(options);
  const refresh = { underWay: false };
  let expiresAt: number | null = null;
  const isNearExpiry = (): boolean =>
    expiresAt !== null && expiresAt - clock.now() < refreshWindowMs;
  const isDue = async (): Promise<boolean> => {
    expiresAt = await login.synchronise();
    return isNearExpiry();
  };

  return {
    dir: options.stagedDir,
    async lease(signal) {
      let due = await isDue();
      while (due && refresh.underWay) {
        await clock.sleep(waitStepMs, signal);
        due = await isDue();
      }
      if (due) refresh.underWay = true;
      return {
        dir: options.stagedDir,
        mayBeRefreshing: () => due || isNearExpiry(),
        async release() {
          try {
            expiresAt = await login.synchronise();
          } finally {
            if (due) refresh.underWay = false;
          }
        },
      };
    },
    forPreparing: async () => ((await isDue()) ? null : login.stagedName()),
    current: login.stagedName,
  };
}
