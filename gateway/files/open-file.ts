// A file that a run takes along: open from its admission on, so that expiry and deletion do not matter to it.
import type { FileHandle } from 'node:fs/promises';

import type { StoredFile } from './file-store.ts';

export type OpenFile = StoredFile & {
  /** Its bytes from the start, in pieces that are only good until the next one is asked for. */
  chunks: () => AsyncIterable<Buffer>;
};

/** Disposing of them closes them. */
export type OpenFiles = AsyncDisposable & { files: readonly OpenFile[] };

const pieceBytes = 192 * 2 ** 10;

export async function* readPieces(handle: FileHandle, size: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(size, pieceBytes));
  for (let position = 0; position < size;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error(`a file ends after ${position} of ${size} bytes`);
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
