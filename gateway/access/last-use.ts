// When and from where a token was last used: written at most once a minute, and nobody waits for it.
import type { Clock } from '#shared/clock.ts';
import { isoTime } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Log } from '#shared/log.ts';

import type { AppStore } from './app-store.ts';

const intervalMs = 60_000;
const maxDigests = 4096;

export type LastUse = {
  /** `lastUsedAt` is what the database says. */
  note(digest: string, lastUsedAt: string | null, address: string): void;
};

export type LastUseParts = { store: AppStore; writer: DatabaseWriter; clock: Clock; log: Log };

export function createLastUse({ store, writer, clock, log }: LastUseParts): LastUse {
  // Also of writes that wait or have failed, so that a locked database is not asked again each time.
  const triedAt = new Map<string, number>();

  return {
    note: (digest, lastUsedAt, address) => {
      const now = clock.now();
      const last = triedAt.get(digest) ?? (lastUsedAt === null ? null : Date.parse(lastUsedAt));
      // A clock set back must not stop the writing.
      if (last !== null && Math.abs(now - last) < intervalMs) return;
      if (triedAt.size >= maxDigests) triedAt.clear();
      triedAt.set(digest, now);
      writer
        .write(() => store.touchToken(digest, isoTime(now), address))
        .catch((err: unknown) => log.error({ err }, 'last use of a token not written'));
    },
  };
}
