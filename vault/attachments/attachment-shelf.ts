// The files of events: in the database what they are, in a directory their bytes.
import { randomBytes } from 'node:crypto';
import type { ReadStream } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { AppError, requestError } from '#shared/errors.ts';
import type { NewId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';
import { makeDirectory } from '#shared/make-directory.ts';
import { createFileQuota } from '#shared/uploads/file-quota.ts';
import { createIncomingFile } from '#shared/uploads/incoming-file.ts';
import type { FileFacts, IncomingFile } from '#shared/uploads/incoming-file.ts';
import type { AttachmentView } from '#shared/vault-event-api.ts';

import type { AttachmentRow, Db } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { readEventHead } from '../feeds/event-store.ts';
import { notFound, vaultErrors } from '../vault-errors.ts';
import {
  attachmentUsage,
  deleteUnusedAttachments,
  findAttachment,
  findAttachments,
  insertAttachment,
  listAttachmentIds,
  tieAttachments,
} from './attachment-store.ts';

export type NewAttachment = { agentId: string; ownerId: string; name: string };

export type PlacedFile = FileFacts & {
  /** Inside a transaction, perhaps twice: the file is an attachment from its commit on. */
  enter: (db: Db, attachment: NewAttachment) => Promise<AttachmentRow>;
};

export type AttachmentShelf = {
  /** A place for one upload. */
  receive: () => IncomingFile;
  /** Puts what has arrived in its place. It goes again unless `work` has entered it. */
  keep: <T>(incoming: IncomingFile, work: (file: PlacedFile) => Promise<T>) => Promise<T>;
  /** Its bytes. Throws `not_found` when they are gone. */
  open: (attachment: AttachmentRow) => Promise<ReadStream>;
  /** For an event of this feed. Throws `not_found` for one that is not of it, or in use. */
  take: (db: Db, agentId: string, attachmentIds: readonly string[]) => Promise<AttachmentView[]>;
  /** They belong to the event from now on. In the transaction in which they were taken. */
  bind: (db: Db, attachmentIds: readonly string[], eventId: string) => Promise<void>;
  /** Removes those that no event has named for a day, or names any more. */
  sweep: (signal: AbortSignal) => Promise<void>;
};

export type AttachmentShelfParts = {
  realm: string;
  dir: string;
  database: Pick<VaultDatabase, 'reads' | 'write'>;
  limits: { bytesMax: number; quotaBytes: number };
  newId: NewId;
  clock: Clock;
  log: Log;
};

const filesMax = 100_000;
const unusedKeptMs = 24 * 60 * 60_000;
const batch = 200;

/** Clears away what a crash left. Needs the instance lock. */
export async function openAttachmentShelf(parts: AttachmentShelfParts): Promise<AttachmentShelf> {
  const { realm, dir, database, limits, newId, clock, log } = parts;
  const incomingDir = join(dir, 'incoming');
  const pathOf = (attachmentId: string): string => join(dir, attachmentId);
  const remove = (attachmentId: string): Promise<void> => rm(pathOf(attachmentId), { force: true });
  // Nobody can tell yet whether they were entered: the database went away meanwhile.
  const doubtful = new Set<string>();
  const quota = createFileQuota({
    usage: () => attachmentUsage(database.reads, realm),
    bytesMax: limits.quotaBytes,
    filesMax,
    explain: (most) =>
      `the quota is used up: attachments may be ${most} in all. Those that no event names go after a day`,
  });

  await makeDirectory(incomingDir, 0o700);
  await removeLeftOvers(parts, incomingDir, remove);

  return {
    receive: () =>
      createIncomingFile(
        join(incomingDir, randomBytes(16).toString('hex')),
        limits.bytesMax,
        quota.takeShare(realm),
      ),
    async keep(incoming, work) {
      const facts = await incoming.finish();
      const attachmentId = newId('att');
      await incoming.moveTo(pathOf(attachmentId));
      let isEntered = false;
      try {
        await syncPlace(dir);
        const enter: PlacedFile['enter'] = async (db, attachment) => {
          const createdAt = isoTime(clock.now());
          const row = { attachmentId, realm, eventId: null, ...attachment, ...facts, createdAt };
          await insertAttachment(db, row);
          isEntered = true;
          return row;
        };
        return await work({ ...facts, enter });
      } catch (err) {
        if (isEntered && isInDoubt(err)) doubtful.add(attachmentId);
        else isEntered = false;
        throw err;
      } finally {
        if (!isEntered) await remove(attachmentId);
      }
    },
    async open({ attachmentId, size }) {
      try {
        return await openWhole(pathOf(attachmentId), size);
      } catch (err) {
        log.error({ err, attachmentId }, 'the bytes of an attachment are gone');
        throw notFound('attachment');
      }
    },
    async take(db, agentId, attachmentIds) {
      const found = await findAttachments(db, realm, attachmentIds);
      return attachmentIds.map((attachmentId) => {
        const row = found.find((each) => each.attachmentId === attachmentId);
        if (row?.agentId === agentId && row.eventId === null) return attachmentView(row);
        throw requestError('not_found', `${attachmentId} is no free attachment of this feed`, {
          details: { field: 'attachments' },
        });
      });
    },
    async bind(db, attachmentIds, eventId) {
      const tied = await tieAttachments(db, attachmentIds, eventId);
      if (tied !== attachmentIds.length) throw new Error('an attachment was taken meanwhile');
    },
    async sweep(signal) {
      for (const attachmentId of doubtful) {
        const row = await findAttachment(database.reads, realm, attachmentId);
        if (row === null) await remove(attachmentId);
        doubtful.delete(attachmentId);
      }
      const before = isoTime(clock.now() - unusedKeptMs);
      while (!signal.aborted) {
        const gone = await database.write(({ db }) =>
          deleteUnusedAttachments(db, realm, before, batch),
        );
        for (const attachmentId of gone) await remove(attachmentId);
        if (gone.length === 0) break;
      }
    },
  };
}

export function attachmentView(row: AttachmentRow): AttachmentView {
  const { attachmentId, name, mediaType, size, sha256 } = row;
  return { attachment_id: attachmentId, name, media_type: mediaType, size, sha256 };
}

async function removeLeftOvers(
  { realm, dir, database, log }: AttachmentShelfParts,
  incomingDir: string,
  remove: (name: string) => Promise<void>,
): Promise<void> {
  for (const name of await readdir(incomingDir)) await rm(join(incomingDir, name), { force: true });
  const left = new Set((await readdir(dir)).filter((name) => name.startsWith('att_')));
  if (left.size === 0) return;
  if ((await readEventHead(database.reads, realm)) === 0) {
    // Nothing was ever posted or uploaded here: it is another database than that of these files.
    log.warn({ files: left.size }, 'the attachments are of another database: they are left alone');
    return;
  }
  for (let known: string[] = ['']; known.length > 0;) {
    known = await listAttachmentIds(database.reads, realm, known.at(-1) ?? '', 1000);
    for (const attachmentId of known) left.delete(attachmentId);
  }
  for (const name of left) await remove(name);
  if (left.size > 0) log.info({ files: left.size }, 'files that a crash left were removed');
}

/** An event may name it as soon as it is entered, so the name has to outlast a power cut as well. */
async function syncPlace(dir: string): Promise<void> {
  await using directory = await open(dir, 'r');
  await directory.sync();
}

function isInDoubt(err: unknown): boolean {
  return err instanceof AppError && err.code === vaultErrors.unavailable.code;
}

async function openWhole(path: string, size: number): Promise<ReadStream> {
  const handle = await open(path, 'r');
  const { size: sizeOnDisk } = await handle.stat();
  if (sizeOnDisk === size) return handle.createReadStream();
  await handle.close();
  throw new Error(`${sizeOnDisk} of ${size} bytes are on disk`);
}
