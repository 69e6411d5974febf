// The files of apps: in the database what they are, in a directory their bytes.
import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { DatabaseWriter } from '#shared/database-writer.ts';
import type { Log } from '#shared/log.ts';
import { makeDirectory } from '#shared/make-directory.ts';
import { createFileQuota } from '#shared/uploads/file-quota.ts';
import { createIncomingFile } from '#shared/uploads/incoming-file.ts';
import type { IncomingFile } from '#shared/uploads/incoming-file.ts';

import type { FilePlace, FileStore, StoredFile } from './file-store.ts';
import { createFileOpener, unknownFile } from './open-file.ts';
import type { OpenFiles } from './open-file.ts';

export type FilePage = { items: StoredFile[]; next: FilePlace | null };

export type FileShelf = {
  /** A place for one upload of an app. */
  receive: (appId: number) => IncomingFile;
  /** `onStored` runs in the transaction of the row: what it throws undoes it. */
  keep: (
    incoming: IncomingFile,
    file: { appId: number; name: string; ttlSecs: number },
    onStored?: (file: StoredFile) => void,
  ) => Promise<StoredFile>;
  /** Throws `not_found` when one of them is not a live file of this app, `payload_too_large` when they are too much. */
  open: (appId: number, fileTokens: readonly string[]) => Promise<OpenFiles>;
  /** The same without opening them: for a run that pins them. */
  look: (appId: number, fileTokens: readonly string[]) => StoredFile[];
  /** Files that an open run has pinned, expired or not. Throws when the bytes of one are gone. */
  openPinned: (fileTokens: readonly string[]) => Promise<OpenFiles>;
  /** Newest first. */
  list: (appId: number, after: FilePlace | null, limit: number) => FilePage;
  remove: (appId: number, fileToken: string) => Promise<void>;
  usage: (appId: number) => { files: number; bytes: number };
  /** Removes what has expired. */
  sweep: () => Promise<void>;
};

export type FileShelfParts = {
  dir: string;
  store: FileStore;
  writer: DatabaseWriter;
  limits: { uploadBytes: number; filesQuotaBytes: number };
  clock: Clock;
  log: Log;
};

/** Clears away what a crash left. Needs the instance lock. */
export async function openFileShelf(parts: FileShelfParts): Promise<FileShelf> {
  const { dir, store, writer, limits, clock } = parts;
  const incomingDir = join(dir, 'incoming');
  const pathOf = (fileToken: string): string => join(dir, fileToken);
  const now = (): string => isoTime(clock.now());
  const quota = createFileQuota({
    usage: (appId: number) => store.usage(appId, now()),
    bytesMax: limits.filesQuotaBytes,
    filesMax: 10_000,
    explain: (most) =>
      `the quota is used up: the files of an app may be ${most} at a time. ` +
      'Delete some, or wait until they expire',
  });

  const sweep = async (): Promise<void> => {
    const expired = await writer.write(() => store.removeExpired(now()));
    for (const fileToken of expired) await rm(pathOf(fileToken), { force: true });
  };

  await makeDirectory(incomingDir, 0o700);
  await sweep();
  await removeAllBut(incomingDir, []);
  await removeAllBut(dir, ['incoming', ...store.tokens()]);

  return {
    receive: (appId) =>
      createIncomingFile(
        join(incomingDir, randomBytes(16).toString('hex')),
        limits.uploadBytes,
        quota.takeShare(appId),
      ),
    async keep(incoming, { appId, name, ttlSecs }, onStored = () => {}) {
      const facts = await incoming.finish();
      const fileToken = newFileToken();
      await incoming.moveTo(pathOf(fileToken));
      try {
        return await writer.write(() => {
          const [createdAt, expiresAt] = [now(), isoTime(clock.now() + ttlSecs * 1000)];
          const file = { fileToken, appId, name, ...facts, createdAt, expiresAt };
          store.insert(file);
          onStored(file);
          incoming.giveQuotaBack();
          return file;
        });
      } catch (err) {
        await rm(pathOf(fileToken), { force: true });
        throw err;
      }
    },
    ...createFileOpener({ ...parts, pathOf, now, bytesMax: limits.uploadBytes }),
    list(appId, after, limit) {
      // One more than asked for tells whether there is a next page.
      const found = store.list(appId, after ?? beforeTheNewest, limit + 1, now());
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? (items.at(-1) ?? null) : null };
    },
    async remove(appId, fileToken) {
      const wasThere = await writer.write(() => store.expire(appId, fileToken, now()));
      if (!wasThere) throw unknownFile();
      await sweep();
    },
    usage: (appId) => store.usage(appId, now()),
    sweep,
  };
}

const beforeTheNewest: FilePlace = { createdAt: '~', fileToken: '' };

function newFileToken(): string {
  return `ff_${randomBytes(24).toString('base64url')}`;
}

async function removeAllBut(dir: string, kept: readonly string[]): Promise<void> {
  const keep = new Set(kept);
  for (const name of await readdir(dir)) {
    if (!keep.has(name)) await rm(join(dir, name), { recursive: true, force: true });
  }
}
