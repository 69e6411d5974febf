// A backup of the vault put back: copied beside its place, checked there against its manifest, and moved into its place.
import { join } from 'node:path';

import { vaultDatabaseFile } from '../../vault/database/sqlite-database.ts';
import { signingKeyDir } from '../../vault/identity/signing-key.ts';
import { BackupError } from '../backup/backup-error.ts';
import { requireRoom } from '../backup/disk-room.ts';
import { bytesOf } from '../backup/manifest.ts';
import { databaseNames, holdTarget } from '../backup/restore-target.ts';
import { copyChecked, openStage, requireFit, requireSizes } from '../backup/staged-restore.ts';
import { readVaultFacts } from './vault-facts.ts';
import { vaultManifest } from './vault-manifest.ts';
import type { VaultContents, VaultManifest } from './vault-manifest.ts';
import type { VaultSettings } from './vault-settings.ts';

export type VaultRestoreParts = VaultSettings & {
  backupDir: string;
  uid: number;
  /** Aborts with the reason to be told. */
  signal: AbortSignal;
};

/** Throws when the backup is not as its manifest says or has no place here; the data directory is as it was then. */
export async function restoreVaultBackup(parts: VaultRestoreParts): Promise<VaultManifest> {
  const { backupDir, dataDir, uid, signal } = parts;
  const manifest = await vaultManifest.read(backupDir);
  const { contents, files } = manifest;
  requireKind(parts, manifest);
  await requireSizes(backupDir, files);
  await using opened = new AsyncDisposableStack();
  const names = [signingKeyDir, 'attachments', ...databaseNames(vaultDatabaseFile)];
  opened.use(await holdTarget({ dataDir, uid, service: 'vault', names }));
  const stage = opened.use(await openStage(dataDir, 'vault-restore.partial'));
  await requireRoom(dataDir, bytesOf(files), parts.diskReserveBytes);
  for (const file of files) await copyChecked(file, backupDir, stage.path, signal);
  if (contents !== null) await requireSame(contents, join(stage.path, vaultDatabaseFile));
  signal.throwIfAborted();
  await stage.moveInto(files, vaultDatabaseFile);
  return manifest;
}

/** What the vault would not look at is not put there. */
function requireKind(
  { backupDir, databaseUrl }: VaultRestoreParts,
  { contents, files }: VaultManifest,
): void {
  const hasDatabase = files.some(({ path }) => path === vaultDatabaseFile);
  if (hasDatabase !== (contents !== null)) {
    throw new BackupError(`${backupDir} is not a backup: there is no database in it`);
  }
  if (hasDatabase && databaseUrl !== null) {
    throw new BackupError(
      'the backup has an SQLite database and DATABASE_URL names another one: unset it first',
    );
  }
  if (!hasDatabase && databaseUrl === null) {
    throw new BackupError(
      'the backup is of a vault on PostgreSQL and has no database: set DATABASE_URL first',
    );
  }
}

async function requireSame(said: VaultContents, path: string): Promise<void> {
  const { contents: found } = await readVaultFacts(path);
  requireFit([
    ['schema', said.schema, found.schema],
    ['users', said.users, found.users],
    ['agents', said.agents, found.agents],
    ['events', said.events, found.events],
    ['number of the newest event', said.event_head, found.event_head],
    ['audit rows', said.audit_rows, found.audit_rows],
    ['audit head', said.audit_head_hash, found.audit_head_hash],
  ]);
}
