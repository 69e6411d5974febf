// Sessions come to an end by age, and what they leave behind goes.
import { readdir } from 'node:fs/promises';

import type { Clock } from '#shared/clock.ts';
import type { Log } from '#shared/log.ts';

import type { SessionDirectories } from './session-directory.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { SessionStore } from './session-store.ts';

const idForm = /^sess_[0-9a-z]{26}$/;

export type SessionSweepParts = {
  dir: string;
  sessionIdleMs: number;
  store: Pick<SessionStore, 'isOpen'>;
  registry: Pick<SessionRegistry, 'endIdle'>;
  directories: SessionDirectories;
  /** By its id: a process of it may be using the directory. */
  isInUse: (sessionId: string) => boolean;
  clock: Clock;
  log: Log;
};

export type SessionSweep = {
  /** Directories of sessions that have ended, or that are none. */
  removeLeft: () => Promise<void>;
  run: (signal: AbortSignal) => Promise<void>;
};

const intervalMsMax = 60_000;
const batch = 200;

export function createSessionSweep(parts: SessionSweepParts): SessionSweep {
  const { dir, store, registry, directories, clock, log } = parts;
  const intervalMs = Math.min(intervalMsMax, parts.sessionIdleMs);

  const removeLeft = async (): Promise<void> => {
    for (const name of await readdir(dir)) {
      // Asked when its turn comes: much may have happened since the directory was read.
      const isLeft = idForm.test(name) && !store.isOpen(name) && !parts.isInUse(name);
      if (isLeft) await directories.remove(name);
    }
  };
  const sweep = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await registry.endIdle(batch)) === batch);
    await removeLeft();
  };
  return {
    removeLeft,
    async run(signal) {
      while (!signal.aborted) {
        await sweep(signal).catch((err: unknown) => log.error({ err }, 'session sweep failed'));
        await clock.sleep(intervalMs, signal).catch(() => {});
      }
    },
  };
}
