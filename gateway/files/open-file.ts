// Files that a run takes along: open from its admission on, so that expiry and deletion do not matter to it.
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { requestError } from '#shared/errors.ts';
import type { Log } from '#shared/log.ts';

import type { FileStore, StoredFile } from './file-store.ts';

export type OpenFile = StoredFile & {
  /** Its bytes from the start; each piece is good until the next one is asked for. */
  chunks: () => AsyncIterable<Buffer>;
};

/** Disposing of them closes them. */
export type OpenFiles = AsyncDisposable & { files: readonly OpenFile[] };

export type FileOpenerParts = {
  store: FileStore;
  pathOf: (fileToken: string) => string;
  now: () => string;
  /** For the files of one run together. */
  bytesMax: number;
  log: Log;
};

export function createFileOpener({ store, pathOf, now, bytesMax, log }: FileOpenerParts) {
  const openOne = async (file: StoredFile): Promise<FileHandle> => {
    try {
      return await openWhole(pathOf(file.fileToken), file.size);
    } catch (err) {
      if (!(err instanceof BytesGoneError)) throw err;
      log.error({ err, file_size: file.size }, 'the bytes of a file are gone');
      throw unknownFile();
    }
  };
  const readLogged = async function* (handle: FileHandle, size: number): AsyncGenerator<Buffer> {
    try {
      yield* readPieces(handle, size);
    } catch (err) {
      log.error({ err }, 'a file could not be read');
      throw err;
    }
  };
  const look = (appId: number, fileTokens: readonly string[]): StoredFile[] => {
    const found = fileTokens.map((fileToken) => store.find(appId, fileToken, now()));
    const known = found.filter((file) => file !== null);
    if (known.length < found.length) throw unknownFile();
    requireFit(known, bytesMax);
    return known;
  };
  const openAll = async (files: readonly StoredFile[]): Promise<OpenFiles> => {
    await using opened = new AsyncDisposableStack();
    const openFiles: OpenFile[] = [];
    for (const file of files) {
      const handle = await openOne(file);
      opened.defer(() => handle.close());
      openFiles.push({ ...file, chunks: () => readLogged(handle, file.size) });
    }
    const kept = opened.move();
    return { files: openFiles, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  };
  return {
    look,
    open: async (appId: number, fileTokens: readonly string[]) => openAll(look(appId, fileTokens)),
    async openPinned(fileTokens: readonly string[]) {
      const found = fileTokens.map((fileToken) => store.findPinned(fileToken));
      const known = found.filter((file) => file !== null);
      if (known.length < found.length) throw unknownFile();
      return openAll(known);
    },
  };
}

/** The same for one that never was, is somebody else's or has expired. */
export function unknownFile(): Error {
  return requestError('not_found', 'there is no such file: it was never there or has expired');
}

class BytesGoneError extends Error {
  override readonly name = 'BytesGoneError';
}

async function openWhole(path: string, size: number): Promise<FileHandle> {
  const handle = await open(path, 'r').catch((cause: unknown) => {
    const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    throw isGone ? new BytesGoneError('there is nothing on disk', { cause }) : cause;
  });
  const { size: sizeOnDisk } = await handle.stat();
  if (sizeOnDisk === size) return handle;
  await handle.close();
  throw new BytesGoneError(`${sizeOnDisk} of ${size} bytes are on disk`);
}

const pieceBytes = 192 * 2 ** 10;

async function* readPieces(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(size, pieceBytes));
  for (let position = 0; position < size;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error(`the file ends after ${position} of ${size} bytes`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function requireFit(files: readonly StoredFile[], bytesMax: number): void {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  if (bytes <= bytesMax) return;
  const limit = `${bytesMax / 2 ** 20} MB`;
  throw requestError('payload_too_large', `the files of a run may be ${limit} together`, {
    details: { field: 'files' },
  });
}
