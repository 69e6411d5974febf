// How much an app may keep: its live files and what it is sending right now.
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';

import type { FileStore } from './file-store.ts';

/** The part of the quota that one upload holds while it is under way. */
export type QuotaShare = {
  /** Throws `payload_too_large` when there is no room for that many more bytes. */
  grow: (bytes: number) => void;
  /** May be called again. */
  release: () => void;
};

export type FileQuota = { takeShare: (appId: number) => QuotaShare };

type UnderWay = { uploads: number; bytes: number };

/** A thousand empty ones would cost no bytes, but rows and inodes. */
const filesMax = 10_000;

export function createFileQuota(store: FileStore, clock: Clock, bytesMax: number): FileQuota {
  const underWay = new Map<number, UnderWay>();

  const check = (appId: number, own: UnderWay): void => {
    const live = store.usage(appId, isoTime(clock.now()));
    if (live.files + own.uploads > filesMax) throw overQuota(`${filesMax} files`);
    if (live.bytes + own.bytes > bytesMax) throw overQuota(`${bytesMax / 2 ** 20} MB`);
  };
  return {
    takeShare(appId) {
      const own = underWay.get(appId) ?? { uploads: 0, bytes: 0 };
      let held = 0;
      let isReleased = false;
      own.uploads += 1;
      underWay.set(appId, own);
      return {
        grow(bytes) {
          own.bytes += bytes;
          held += bytes;
          check(appId, own);
        },
        release() {
          if (isReleased) return;
          isReleased = true;
          own.uploads -= 1;
          own.bytes -= held;
          if (own.uploads === 0) underWay.delete(appId);
        },
      };
    },
  };
}

function overQuota(most: string): Error {
  return requestError(
    'payload_too_large',
    `the quota is used up: the files of an app may be ${most} at a time. ` +
      'Delete some, or wait until they expire',
    { details: { field: 'file' } },
  );
}
