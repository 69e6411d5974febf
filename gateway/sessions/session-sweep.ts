// Sessions come to an end by age, and what they leave behind goes.
import { readdir } from 'node:fs/promises';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Log } from '#shared/log.ts';

import type { SessionDirectories } from './session-directory.ts';
import type { SessionRegistry } from './session-registry.ts';
import type { SessionStore } from './session-store.ts';

const idForm = /^sess_[0-9a-z]{26}$/;

export function isSessionId(name: string): boolean {
  return idForm.test(name);
}

export type SessionSweepParts = {
  dir: string;
  sessionIdleMs: number;
  store: SessionStore;
  registry: Pick<SessionRegistry, 'endIdle'>;
  directories: SessionDirectories;
  writer: DatabaseWriter;
  /** By its id: a process of it may be using the directory. */
  isInUse: (sessionId: string) => boolean;
  clock: Clock;
  log: Log;
};

export type SessionSweep = {
  /** Directories of sessions that have ended, or that are none. */
  removeLeft: () => Promise<number>;
  run: (signal: AbortSignal) => Promise<void>;
};

const intervalMsMax = 60_000;
const endedKeptMs = 24 * 60 * 60_000;
const batch = 200;

export function createSessionSweep(parts: SessionSweepParts): SessionSweep {
  const { dir, store, registry, directories, writer, clock, log } = parts;
  const intervalMs = Math.min(intervalMsMax, parts.sessionIdleMs);

  const removeLeft = async (): Promise<number> => {
    let removed = 0;
    for (const name of (await readdir(dir)).filter(isSessionId)) {
      // Asked when its turn comes: much may have happened since the directory was read.
      if (store.isOpen(name) || parts.isInUse(name)) continue;
      await directories.remove(name);
      removed += 1;
    }
    return removed;
  };
  const sweep = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && (await registry.endIdle(batch)) === batch);
    await removeLeft();
    const before = isoTime(clock.now() - endedKeptMs);
    while (
      !signal.aborted &&
      (await writer.write(() => store.removeEndedBefore(before, batch))) === batch
    );
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
