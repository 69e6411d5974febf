// A backup of the vault's data directory, made while it runs or not: a copy of the database as it is at one moment, the attachments
// it names, and the key that sign-ins are signed with. Of a vault on PostgreSQL, whose database has its own tools, the files alone.
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { copyDatabase } from '#shared/database-copy.ts';
import { databaseBytes } from '#shared/database-inspection.ts';
import { openDirectory } from '#shared/open-directory.ts';

import { openVaultFileReadOnly, vaultDatabaseFile } from '../../vault/database/sqlite-database.ts';
import { signingKeyDir, signingKeyFile } from '../../vault/identity/signing-key.ts';
import { openBackupDraft } from '../backup/backup-draft.ts';
import { BackupError } from '../backup/backup-error.ts';
import { copyIfThere, readFacts } from '../backup/copied-file.ts';
import type { FileFacts } from '../backup/copied-file.ts';
import { megabytes, requireRoom } from '../backup/disk-room.ts';
import { bytesOf } from '../backup/manifest.ts';
import type { BackupFile } from '../backup/manifest.ts';
import { readVaultFacts, summaryOf } from './vault-facts.ts';
import { vaultManifest } from './vault-manifest.ts';
import type { VaultContents } from './vault-manifest.ts';
import type { VaultSettings } from './vault-settings.ts';

export type VaultBackupParts = VaultSettings & {
  targetDir: string;
  gatehouseVersion: string;
  /** Aborts with the reason to be told. */
  signal: AbortSignal;
  /** A line about what was done. */
  say: (line: string) => void;
  clock: Clock;
};

type CopyParts = Pick<VaultBackupParts, 'dataDir' | 'signal' | 'say'> & { draftDir: string };
type WantedAttachment = { attachmentId: string; wanted?: FileFacts };
type Copied = {
  contents: VaultContents | null;
  files: BackupFile[];
  attachments: WantedAttachment[];
};

/** Gives where it is. Throws when there is none, of which nothing is left then. */
export async function makeVaultBackup(parts: VaultBackupParts): Promise<string> {
  const { dataDir, targetDir, databaseUrl, signal, say, clock } = parts;
  const now = clock.now();
  const isSqlite = databaseUrl === null;
  const neededBytes = await bytesThere(dataDir, isSqlite);
  await using draft = await openBackupDraft({ targetDir, name: 'vault', now });
  await requireRoom(targetDir, neededBytes, parts.diskReserveBytes);
  const copying = { dataDir, signal, say, draftDir: draft.path };

  const database = isSqlite ? await copySqlite(copying) : await leavePostgres(copying);
  const { contents } = database;
  const attachments = await copyAttachments(database.attachments, copying);
  const leftOut = database.attachments.length - attachments.length;
  const missing =
    leftOut === 0 ? '' : `; ${leftOut} left out: gone meanwhile, or not as it was uploaded`;
  say(`attachments: ${attachments.length}, ${megabytes(bytesOf(attachments))}${missing}`);
  const key = await copyKey(copying);
  await vaultManifest.write(draft.path, {
    format: 1,
    service: 'the vault',
    gatehouse_version: parts.gatehouseVersion,
    made_at: isoTime(now),
    contents,
    attachments_left_out: leftOut,
    files: [...database.files, ...key, ...attachments],
  });
  if (contents !== null) {
    say(`audit head: row ${contents.audit_head_seq}, ${contents.audit_head_hash}`);
  }
  return await draft.keep();
}

async function copySqlite({ dataDir, draftDir, signal, say }: CopyParts): Promise<Copied> {
  const path = join(draftDir, vaultDatabaseFile);
  const source = openVaultFileReadOnly(join(dataDir, vaultDatabaseFile));
  try {
    await copyDatabase(source, path, () => signal.throwIfAborted());
  } finally {
    source.close();
  }
  const { contents, attachments } = await readVaultFacts(path);
  const facts = await readFacts(path);
  say(`database: ${megabytes(facts.size)}, whole (${summaryOf(contents)})`);
  return {
    contents,
    files: [{ path: vaultDatabaseFile, ...facts }],
    attachments: attachments.map(({ attachmentId, ...wanted }) => ({ attachmentId, wanted })),
  };
}

/** Only the database knows what should be there: what is there is taken. */
async function leavePostgres({ dataDir, say }: CopyParts): Promise<Copied> {
  say('database: PostgreSQL, and NOT in this backup. Save it with pg_dump, each time before this:');
  say('  pg_dump --format=custom --file=vault.dump "$DATABASE_URL"');
  const attachments = (await attachmentNames(dataDir)).map((attachmentId) => ({ attachmentId }));
  return { contents: null, files: [], attachments };
}

async function copyAttachments(
  attachments: readonly WantedAttachment[],
  { dataDir, draftDir, signal }: CopyParts,
): Promise<BackupFile[]> {
  await mkdir(join(draftDir, 'attachments'), { mode: 0o700 });
  const copied: BackupFile[] = [];
  for (const { attachmentId, wanted } of attachments) {
    const path = `attachments/${attachmentId}`;
    const facts = await copyIfThere(join(dataDir, path), join(draftDir, path), signal, wanted);
    if (facts !== null) copied.push({ path, ...facts });
  }
  return copied;
}

async function copyKey({ dataDir, draftDir, signal, say }: CopyParts): Promise<BackupFile[]> {
  await openDirectory(join(draftDir, signingKeyDir), 'the backup');
  const facts = await copyIfThere(
    join(dataDir, signingKeyFile),
    join(draftDir, signingKeyFile),
    signal,
  );
  say(facts === null ? 'signing key: not there, so not in the backup' : 'signing key: copied');
  return facts === null ? [] : [{ path: signingKeyFile, ...facts }];
}

async function bytesThere(dataDir: string, isSqlite: boolean): Promise<number> {
  let bytes = 0;
  if (isSqlite) {
    const source = openVaultFileReadOnly(join(dataDir, vaultDatabaseFile));
    bytes += databaseBytes(source);
    source.close();
  }
  for (const name of await attachmentNames(dataDir)) {
    bytes += await stat(join(dataDir, 'attachments', name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return bytes;
}

async function attachmentNames(dataDir: string): Promise<string[]> {
  const path = join(dataDir, 'attachments');
  const names = await readdir(path).catch((cause: unknown) => {
    throw new BackupError(`${dataDir} is no data directory of a vault: there is no attachments/`, {
      cause,
    });
  });
  return names.filter((name) => /^att_[0-9a-z]{26}$/.test(name));
}
