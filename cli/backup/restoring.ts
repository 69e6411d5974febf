// A backup put back: copied beside its place, checked there against its manifest, and moved into its place when all is well.
import { join } from 'node:path';

import type { Clock } from '#shared/clock.ts';
import { makeStandalone } from '#shared/database.ts';

import { BackupError } from './backup-error.ts';
import type { DataSettings } from './data-settings.ts';
import { readDatabaseFacts } from './database-facts.ts';
import { requireRoom } from './disk-room.ts';
import { gatewayManifest } from './gateway-manifest.ts';
import type { Manifest } from './gateway-manifest.ts';
import { bytesOf } from './manifest.ts';
import { interruptOpenRuns } from './open-runs.ts';
import { databaseNames, holdTarget } from './restore-target.ts';
import { copyChecked, openStage, requireFit, requireSizes } from './staged-restore.ts';

export type RestoreParts = DataSettings & {
  backupDir: string;
  uid: number;
  /** Aborts with the reason to be told. */
  signal: AbortSignal;
  clock: Clock;
};

export type Restored = { manifest: Manifest; interruptedRuns: number };

const restored = [...databaseNames('gateway.db'), 'admin-token', 'files'];

/** Throws when the backup is not as its manifest says or has no place here; the data directory is as it was then. */
export async function restoreBackup(parts: RestoreParts): Promise<Restored> {
  const { backupDir, dataDir, uid, diskReserveBytes, signal, clock } = parts;
  const manifest = await gatewayManifest.read(backupDir);
  if (!manifest.files.some(({ path }) => path === 'gateway.db')) {
    throw new BackupError(`${backupDir} is not a backup: there is no database in it`);
  }
  await requireSizes(backupDir, manifest.files);
  await using opened = new AsyncDisposableStack();
  opened.use(await holdTarget({ dataDir, uid, service: 'gateway', names: restored }));
  const stage = opened.use(await openStage(dataDir, 'restore.partial'));
  await requireRoom(dataDir, bytesOf(manifest.files), diskReserveBytes);
  for (const file of manifest.files) await copyChecked(file, backupDir, stage.path, signal);
  const database = join(stage.path, 'gateway.db');
  requireSame(manifest, database);
  const interruptedRuns = await interruptOpenRuns(database, clock);
  makeStandalone(database);
  signal.throwIfAborted();
  await stage.moveInto(manifest.files, 'gateway.db');
  return { manifest, interruptedRuns };
}

function requireSame(manifest: Manifest, path: string): void {
  const facts = readDatabaseFacts(path);
  requireFit([
    ['schema', manifest.schema, facts.schema],
    ['apps', manifest.apps, facts.apps],
    ['runs', manifest.runs, facts.runs],
    ['audit rows', manifest.audit_rows, facts.auditRows],
    ['audit head', manifest.audit_head_hash, facts.auditHead.hash],
  ]);
}
