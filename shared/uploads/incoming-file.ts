// One file while it arrives: written down piece by piece, measured, and gone again unless it is kept.
import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { requestError } from '../errors.ts';
import type { QuotaShare } from './file-quota.ts';
import { acceptedTypes, createMediaTypeTeller } from './media-type.ts';
import type { MediaType } from './media-type.ts';

export type FileFacts = { size: number; sha256: string; mediaType: MediaType };

/** Disposing of it removes what was not moved. */
export type IncomingFile = AsyncDisposable & {
  /** Throws `payload_too_large` and `unsupported_media_type` as soon as it is certain. */
  write: (chunk: Buffer) => Promise<void>;
  /** All bytes are there. Throws for a file that cannot be accepted. */
  finish: () => Promise<FileFacts>;
  moveTo: (path: string) => Promise<void>;
  /** A row counts its bytes from here on. */
  giveQuotaBack: () => void;
};

export function createIncomingFile(
  path: string,
  bytesMax: number,
  share: QuotaShare,
): IncomingFile {
  const hash = createHash('sha256');
  const teller = createMediaTypeTeller();
  let handle: FileHandle | null = null;
  let size = 0;

  const close = async (): Promise<void> => {
    const closing = handle;
    handle = null;
    await closing?.close();
  };
  return {
    async write(chunk) {
      size += chunk.length;
      if (size > bytesMax) throw tooLarge(bytesMax);
      await share.grow(chunk.length);
      teller.push(chunk);
      if (teller.isHopeless()) throw notAccepted();
      hash.update(chunk);
      handle ??= await open(path, 'wx', 0o600);
      await handle.appendFile(chunk);
    },
    async finish() {
      if (size === 0) throw requestError('invalid_request', 'the file is empty', onFile);
      const mediaType = teller.mediaType();
      if (mediaType === null) throw notAccepted();
      await handle?.datasync();
      await close();
      return { size, sha256: hash.digest('hex'), mediaType };
    },
    moveTo: (target) => rename(path, target),
    giveQuotaBack: () => share.release(),
    async [Symbol.asyncDispose]() {
      share.release();
      await close();
      await rm(path, { force: true });
    },
  };
}

/** Of a file that was kept before: told apart from another one, and not written anywhere. */
export function createMeasuredFile(bytesMax: number): {
  write: (chunk: Buffer) => Promise<void>;
  sha256: () => string;
} {
  const hash = createHash('sha256');
  let size = 0;
  return {
    async write(chunk) {
      size += chunk.length;
      if (size > bytesMax) throw tooLarge(bytesMax);
      hash.update(chunk);
    },
    sha256: () => hash.digest('hex'),
  };
}

const onFile = { details: { field: 'file' } };

/** Also for a request whose length alone says so. */
export function tooLarge(bytesMax: number): Error {
  const limit = `${bytesMax / 2 ** 20} MB`;
  return requestError('payload_too_large', `the file is over the limit of ${limit}`, onFile);
}

function notAccepted(): Error {
  const message = `the file is of no type that is accepted, which are ${acceptedTypes}`;
  return requestError('unsupported_media_type', message, onFile);
}
