// The credentials file of a login: read carefully, because a run may have written it, and replaced in one step.
import { createHash } from 'node:crypto';
import { constants, open, rename, rm } from 'node:fs/promises';

import { Type } from 'typebox';
import { Compile } from 'typebox/compile';

export type LoginFile = {
  bytes: Buffer;
  digest: string;
  /** Of the access token, in milliseconds since the epoch. */
  expiresAt: number | null;
  canRefresh: boolean;
};

const fileBytesMax = 64 * 2 ** 10;

const Credentials = Compile(
  Type.Object({
    claudeAiOauth: Type.Object({
      accessToken: Type.String({ minLength: 1 }),
      refreshToken: Type.Optional(Type.Union([Type.String(), Type.Null()])),
      expiresAt: Type.Optional(Type.Union([Type.Number(), Type.Null()])),
    }),
  }),
);

/** Null when there is no such file, or it is not the plain small file of a login. Symbolic links are followed on request only. */
export async function readLoginFile(
  path: string,
  options: { followLinks: boolean },
): Promise<LoginFile | null> {
  const noFollow = options.followLinks ? 0 : constants.O_NOFOLLOW;
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | noFollow;
  const file = await open(path, flags).catch(() => null);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > fileBytesMax) return null;
    if (!options.followLinks && stats.nlink !== 1) return null;
    return parseLoginFile(await file.readFile());
  } finally {
    await file.close();
  }
}

function parseLoginFile(bytes: Buffer): LoginFile | null {
  let content: unknown;
  try {
    content = JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
  if (!Credentials.Check(content)) return null;
  const digest = createHash('sha256').update(bytes).digest('hex');
  const { expiresAt = null, refreshToken } = content.claudeAiOauth;
  return { bytes, digest, expiresAt, canRefresh: Boolean(refreshToken) };
}

/** Readers see the old file or the new one, never half of it. @param ownerUid null keeps the gateway's own. */
export async function replaceLoginFile(
  path: string,
  bytes: Buffer,
  owner: { uid: number; gid: number } | null,
): Promise<void> {
  const temporary = `${path}.gatehouse-${process.pid}`;
  await rm(temporary, { force: true });
  const file = await open(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    0o600,
  );
  try {
    await file.writeFile(bytes);
    if (owner !== null) await file.chown(owner.uid, owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}
