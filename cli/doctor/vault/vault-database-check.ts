// The vault's database, read only: ours, whole, of a schema we know, with people in it and an audit log that nobody has changed.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';
import type { Database } from '#shared/database.ts';

import { createAuditLog } from '../../../vault/audit/audit-log.ts';
import { lookAtDatabase } from '../../../vault/database/database-look.ts';
import {
  migrationsDir,
  openVaultFileReadOnly,
  vaultDatabaseFile,
} from '../../../vault/database/sqlite-database.ts';
import type { Db } from '../../../vault/database/tables.ts';
import { takeVaultCensus } from '../../../vault/database/vault-census.ts';
import { hasUsers } from '../../../vault/identity/user-store.ts';
import { realm } from '../../../vault/realm.ts';
import {
  judgeAuditLog,
  judgeDatabaseFile,
  judgeOtherSchema,
  judgeUnreadableDatabase,
} from '../database-check.ts';
import type { KeptDatabase } from '../database-check.ts';
import { fail, messageOf, pass, warn } from '../finding.ts';
import type { Finding } from '../finding.ts';

type Place = { dataDir: string; databaseUrl: string | null };

const kept: KeptDatabase = {
  name: 'vault: database',
  service: 'vault',
  lossMend:
    'stop the vault, move vault.db away, and restore a backup: npm run vault:restore (docs/backup.md)',
};
const { name } = kept;
/** More would take longer than an operator waits. */
const auditRowsMax = 100_000;

export async function checkVaultDatabase(place: Place): Promise<Finding[]> {
  if (place.databaseUrl === null) {
    const path = join(place.dataDir, vaultDatabaseFile);
    if (!existsSync(path))
      return [pass(name, `${path} is not there yet: the first start makes it`)];
    const open = (): Database => openVaultFileReadOnly(path);
    const file = judgeDatabaseFile(path, kept, open, migrationsDir);
    if (file.status !== 'pass') return [file];
  }
  try {
    await using look = await lookAtDatabase(place);
    const other = judgeOtherSchema(look.place, look.schema, kept);
    if (other !== null) return [other];
    return await look.atOneMoment((db) => judgeContent(db, look.place));
  } catch (err) {
    if (place.databaseUrl === null) return [judgeUnreadableDatabase(messageOf(err), kept)];
    if (hasNoTables(err)) return [pass(name, 'it is empty: the first start makes its tables')];
    const mend =
      'see that the server runs and that DATABASE_URL names it, its user and its password';
    return [fail(name, messageOf(err), mend)];
  }
}

/** PostgreSQL's "undefined_table". */
function hasNoTables(err: unknown): boolean {
  const cause = err instanceof Error ? err.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === '42P01';
}

async function judgeContent(db: Db, where: string): Promise<Finding[]> {
  const { users, agents, events, auditRows } = await takeVaultCensus(db);
  const findings = [
    pass(name, `${where}: ${users} users, ${agents} agents, ${events} events`),
    judgePeople(await hasUsers(db, realm)),
  ];
  if (auditRows > auditRowsMax) {
    const seen = `${auditRows} rows, not looked at: npm run vault:audit:verify does`;
    return [...findings, pass('vault: audit log', seen)];
  }
  const verdict = await createAuditLog(realm, systemClock).verify(db);
  const judged = judgeAuditLog(verdict, false);
  const mend = judged.mend?.replace('audit:verify', 'vault:audit:verify') ?? null;
  return [...findings, { ...judged, name: 'vault: audit log', mend }];
}

function judgePeople(hasSome: boolean): Finding {
  if (hasSome) return pass('vault: people', 'there is somebody who can sign in');
  return warn(
    'vault: people',
    'there is no user yet',
    'open the set-up link that the vault has printed at its start; another start prints another one',
  );
}
