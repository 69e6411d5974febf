// What a backup says of itself. It is written last, so that a backup without one is not whole.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { Type } from 'typebox';
import type { Static } from 'typebox';
import { Compile } from 'typebox/compile';

import { BackupError } from './backup-error.ts';

const Count = Type.Integer({ minimum: 0 });
const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

const BackupFile = Type.Object({
  /** Nothing else is in a backup, and nothing else is ever restored. */
  path: Type.String({ pattern: '^(gateway\\.db|admin-token|files/ff_[A-Za-z0-9_-]{1,100})$' }),
  size: Count,
  sha256: Sha256,
});
export type BackupFile = Static<typeof BackupFile>;

export const Manifest = Type.Object({
  format: Type.Literal(1),
  gatehouse_version: Type.String(),
  made_at: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
  schema: Count,
  apps: Count,
  runs: Count,
  audit_rows: Count,
  audit_head_seq: Count,
  audit_head_hash: Sha256,
  /** Named by the database, but not there or not as they should be. */
  uploads_left_out: Count,
  files: Type.Array(BackupFile),
});
export type Manifest = Static<typeof Manifest>;

export const manifestName = 'manifest.json';
const WrittenManifest = Compile(Manifest);

export async function writeManifest(backupDir: string, manifest: Manifest): Promise<void> {
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  await writeFile(join(backupDir, manifestName), text, { mode: 0o600, flag: 'wx', flush: true });
}

export async function readManifest(backupDir: string): Promise<Manifest> {
  const path = join(backupDir, manifestName);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new BackupError(whyUnread(backupDir, cause), { cause });
  });
  const manifest = parse(text);
  if (WrittenManifest.Check(manifest)) return manifest;
  const isNewer =
    isObject(manifest) && typeof manifest['format'] === 'number' && manifest['format'] > 1;
  throw new BackupError(
    isNewer
      ? `${path} is of a newer Gatehouse: restore it with that one`
      : `${path} is damaged: take another backup`,
  );
}

/** What all of it takes on disk. */
export function bytesOf(files: readonly BackupFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function whyUnread(backupDir: string, cause: unknown): string {
  if (!(cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')) {
    return `${backupDir} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
  }
  const isCutOff = basename(backupDir).endsWith('.partial');
  const why = isCutOff ? 'it was cut off while it was made' : `there is no ${manifestName} in it`;
  return `${backupDir} is not a backup: ${why}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
