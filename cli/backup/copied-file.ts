// Copies and hashes of files. A copy is private, and written in pieces that are each on disk before the next, because the gateway
// waits for the same disk.
import { createHash } from 'node:crypto';
import { open, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

export type FileFacts = { size: number; sha256: string };

const pieceBytes = 2 ** 20;

/** Throws what `beforeEachPiece` throws. The target must not exist. */
export async function copyFile(
  from: string,
  to: string,
  beforeEachPiece: () => void,
): Promise<FileFacts> {
  await using source = await open(from, 'r');
  await using target = await open(to, 'wx', 0o600);
  return await readAll(source, async (piece) => {
    beforeEachPiece();
    await target.writeFile(piece);
    await target.datasync();
  });
}

/** Null when there is no such file, or it is not as it is wanted: nothing is left of the copy then. */
export async function copyIfThere(
  from: string,
  to: string,
  signal: AbortSignal,
  wanted?: FileFacts,
): Promise<FileFacts | null> {
  try {
    if (!(await stat(from)).isFile()) return null;
    const facts = await copyFile(from, to, () => signal.throwIfAborted());
    if (wanted === undefined || facts.sha256 === wanted.sha256) return facts;
    await rm(to);
    return null;
  } catch (err) {
    if (err instanceof Error && 'code' in err && err.code === 'ENOENT') return null;
    throw err;
  }
}

export async function readFacts(path: string): Promise<FileFacts> {
  await using file = await open(path, 'r');
  return await readAll(file, async () => {});
}

async function readAll(
  file: FileHandle,
  take: (piece: Buffer) => Promise<void>,
): Promise<FileFacts> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(pieceBytes);
  for (let size = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, pieceBytes, size);
    if (bytesRead === 0) return { size, sha256: hash.digest('hex') };
    const piece = buffer.subarray(0, bytesRead);
    hash.update(piece);
    await take(piece);
    size += bytesRead;
  }
}
