// What a backup says of itself. It is written last, so that a backup without one is not whole.
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

import { BackupError } from './backup-error.ts';

export const Count = Type.Integer({ minimum: 0 });
export const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });

export type BackupFile = { path: string; size: number; sha256: string };

/** Nothing else is in a backup, and nothing else is ever restored, than paths of this pattern. */
export const BackupFiles = (pattern: string) =>
  Type.Array(Type.Object({ path: Type.String({ pattern }), size: Count, sha256: Sha256 }));

/** What all of them say first. */
export const manifestHead = {
  format: Type.Literal(1),
  gatehouse_version: Type.String(),
  made_at: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
};

export const manifestName = 'manifest.json';

export type ManifestForm<M> = {
  write: (backupDir: string, manifest: M) => Promise<void>;
  /** Throws BackupError for what is no such manifest. */
  read: (backupDir: string) => Promise<M>;
};

/** `service` is what it is a backup of; one that says nothing of that is the gateway's. */
export function createManifestForm<S extends TSchema>(
  schema: S,
  service: string,
): ManifestForm<Static<S>> {
  const written = Compile(schema);
  return {
    async write(backupDir, manifest) {
      const text = `${JSON.stringify(manifest, null, 2)}\n`;
      const path = join(backupDir, manifestName);
      await writeFile(path, text, { mode: 0o600, flag: 'wx', flush: true });
    },
    async read(backupDir) {
      const path = join(backupDir, manifestName);
      const text = await readFile(path, 'utf8').catch((cause: unknown) => {
        throw new BackupError(whyUnread(backupDir, cause), { cause });
      });
      const manifest = parse(text);
      if (written.Check(manifest)) return manifest;
      throw new BackupError(whyRefused(path, manifest, service));
    },
  };
}

function whyRefused(path: string, manifest: unknown, service: string): string {
  const said = isObject(manifest) ? manifest : {};
  const { format, service: its = 'the gateway' } = said;
  if (typeof format === 'number' && format > 1) {
    return `${path} is of a newer Gatehouse: restore it with that one`;
  }
  return format === 1 && its !== service
    ? `${path} is that of a backup of ${String(its)}, not of ${service}`
    : `${path} is damaged: take another backup`;
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
