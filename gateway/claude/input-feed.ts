// Puts a long message into a process no faster than it reads.
import type { Writable } from 'node:stream';

/** Resolves when all is written or nobody reads any more; rejects when the pieces fail. */
export async function feedInput(stdin: Writable, pieces: AsyncIterable<string>): Promise<void> {
  for await (const piece of pieces) {
    if (!stdin.writable) return;
    if (!stdin.write(piece)) await drained(stdin);
  }
}

async function drained(stdin: Writable): Promise<void> {
  if (stdin.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  stdin.once('drain', resolve).once('close', resolve);
  await promise;
  stdin.off('drain', resolve).off('close', resolve);
}
