// The transcript that the CLI keeps of a conversation: appended to with every turn. The gateway never writes to it.
import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

import { insideSandbox } from '../sandbox/run-directory-layout.ts';
import type { RunDirectory } from '../sandbox/run-directory-layout.ts';
import type { SandboxTier } from '../sandbox/sandbox-tier.ts';

/** The beginning of a transcript, by its length and hash. */
export type TranscriptMark = { bytes: number; sha256: string | null };

/** As the CLI names it: by the directory it works in. */
export function transcriptPath(
  { home, work }: RunDirectory,
  tier: SandboxTier,
  conversationId: string,
): string {
  const cwd = tier === 'none' ? work : insideSandbox.work;
  const project = cwd.replaceAll(/[^A-Za-z0-9]/g, '-');
  return join(home, '.claude', 'projects', project, `${conversationId}.jsonl`);
}

/** The whole file as it is now; null where there is none. */
export async function markTranscript(path: string): Promise<TranscriptMark | null> {
  await using file = await openRegular(path);
  if (file === null) return null;
  const { size } = await file.stat();
  return { bytes: size, sha256: await hashOf(file, size) };
}

/**
 * Whether the file still begins with what was there after the last answer. The CLI itself would go on with what it finds: with half
 * of a conversation it would answer as if that were all of it.
 */
export async function holdsTranscript(path: string, mark: TranscriptMark): Promise<boolean> {
  await using file = await openRegular(path);
  if (file === null) return mark.bytes === 0;
  const { size } = await file.stat();
  if (size < mark.bytes) return false;
  return mark.bytes === 0 || (await hashOf(file, mark.bytes)) === mark.sha256;
}

/** Whether there is anything to go on with. */
export async function hasTranscript(path: string): Promise<boolean> {
  await using file = await openRegular(path);
  return file !== null && (await file.stat()).size > 0;
}

/** What a run may have put there in its place is as good as nothing. */
async function openRegular(path: string): Promise<FileHandle | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (file === null || (await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

async function hashOf(file: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (bytes === 0) return hash.digest('hex');
  const stream = file.createReadStream({ start: 0, end: bytes - 1, autoClose: false });
  await pipeline(stream, hash);
  return hash.digest('hex');
}
