// A backup of a data directory, made while the gateway runs or not: a copy of the database as it is at one moment, the uploads it
// names, and the admin token.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { copyDatabase } from '#shared/database-copy.ts';
import { databaseBytes } from '#shared/database-inspection.ts';

import { namedUploads } from '../../gateway/database/database-census.ts';
import type { NamedUpload } from '../../gateway/database/database-census.ts';
import { openGatewayDatabaseReadOnly } from '../../gateway/database/gateway-database.ts';
import { openBackupDraft } from './backup-draft.ts';
import { copyIfThere, readFacts } from './copied-file.ts';
import type { FileFacts } from './copied-file.ts';
import type { DataSettings } from './data-settings.ts';
import { readDatabaseFacts } from './database-facts.ts';
import type { DatabaseFacts } from './database-facts.ts';
import { megabytes, requireRoom } from './disk-room.ts';
import { gatewayManifest } from './gateway-manifest.ts';
import { bytesOf } from './manifest.ts';
import type { BackupFile } from './manifest.ts';

export type BackupParts = DataSettings & {
  targetDir: string;
  gatehouseVersion: string;
  /** Aborts with the reason to be told. */
  signal: AbortSignal;
  /** A line about what was done. */
  say: (line: string) => void;
  clock: Clock;
};

type CopyParts = Pick<BackupParts, 'dataDir' | 'signal'> & { draftDir: string };

/** Gives where it is. Throws when there is none, of which nothing is left then. */
export async function makeBackup(parts: BackupParts): Promise<string> {
  const { dataDir, targetDir, signal, say, clock } = parts;
  const now = clock.now();
  using source = openSource(dataDir);
  await using draft = await openBackupDraft({ targetDir, name: 'gatehouse', now });
  await requireRoom(targetDir, source.bytes, parts.diskReserveBytes);
  const copying = { dataDir, signal, draftDir: draft.path };

  const database = await source.copyTo(join(draft.path, 'gateway.db'), signal);
  const facts = readDatabaseFacts(join(draft.path, 'gateway.db'));
  say(`database: ${megabytes(database.size)}, whole (${summaryOf(facts)})`);

  const uploads = await copyUploads(facts.uploads, copying);
  const leftOut = facts.uploads.length - uploads.length;
  const missing =
    leftOut === 0 ? '' : `; ${leftOut} left out: gone meanwhile, or not as it was uploaded`;
  say(`uploads: ${uploads.length}, ${megabytes(bytesOf(uploads))}${missing}`);

  const token = await copyAdminToken(copying);
  say(
    token.length > 0 ? 'admin token: copied' : 'admin token: not in a file, so not in the backup',
  );

  await gatewayManifest.write(draft.path, {
    format: 1,
    gatehouse_version: parts.gatehouseVersion,
    made_at: isoTime(now),
    schema: facts.schema,
    apps: facts.apps,
    runs: facts.runs,
    audit_rows: facts.auditRows,
    audit_head_seq: facts.auditHead.seq,
    audit_head_hash: facts.auditHead.hash,
    uploads_left_out: leftOut,
    files: [{ path: 'gateway.db', ...database }, ...token, ...uploads],
  });
  say(`audit head: row ${facts.auditHead.seq}, ${facts.auditHead.hash}`);
  return await draft.keep();
}

function openSource(dataDir: string) {
  const db = openGatewayDatabaseReadOnly(join(dataDir, 'gateway.db'));
  return {
    bytes: databaseBytes(db) + namedUploads(db).reduce((sum, { size }) => sum + size, 0),
    async copyTo(path: string, signal: AbortSignal): Promise<FileFacts> {
      await copyDatabase(db, path, () => signal.throwIfAborted());
      return readFacts(path);
    },
    [Symbol.dispose]: () => void db.close(),
  };
}

export function summaryOf({
  apps,
  runs,
  auditRows,
}: Pick<DatabaseFacts, 'apps' | 'runs' | 'auditRows'>): string {
  return `apps: ${apps}, runs: ${runs}, audit rows: ${auditRows}`;
}

/** Those that are there and are what was uploaded. */
async function copyUploads(
  uploads: readonly NamedUpload[],
  { dataDir, draftDir, signal }: CopyParts,
): Promise<BackupFile[]> {
  await mkdir(join(draftDir, 'files'), { mode: 0o700 });
  const copied: BackupFile[] = [];
  for (const { fileToken, ...wanted } of uploads) {
    const path = `files/${fileToken}`;
    const facts = await copyIfThere(join(dataDir, path), join(draftDir, path), signal, wanted);
    if (facts !== null) copied.push({ path, ...facts });
  }
  return copied;
}

async function copyAdminToken({ dataDir, draftDir, signal }: CopyParts): Promise<BackupFile[]> {
  const path = 'admin-token';
  const facts = await copyIfThere(join(dataDir, path), join(draftDir, path), signal);
  return facts === null ? [] : [{ path, ...facts }];
}
