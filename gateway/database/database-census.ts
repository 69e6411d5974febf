// What is in gateway.db, for its backups: also in one of an older schema, which has not every table.
import type { Database } from '#shared/database.ts';

export type DatabaseCensus = {
  schema: number;
  /** Those that have not been revoked. */
  apps: number;
  runs: number;
  auditRows: number;
};

/** The bytes of an upload lie in files/ beside the database. */
export type NamedUpload = { fileToken: string; size: number; sha256: string };

export function takeCensus(db: Database): DatabaseCensus {
  const counts = db
    .prepare<[], Omit<DatabaseCensus, 'schema'>>(
      `select (select count(*) from apps where revoked_at is null) as apps,
         (select count(*) from runs) as runs,
         (select count(*) from audit_log) as auditRows`,
    )
    .get();
  if (counts === undefined) throw new Error('a count gave no row');
  return { schema: Number(db.pragma('user_version', { simple: true })), ...counts };
}

export function namedUploads(db: Database): NamedUpload[] {
  const table = db.prepare("select 1 from sqlite_schema where type = 'table' and name = 'files'");
  if (table.get() === undefined) return [];
  return db
    .prepare<[], NamedUpload>('select file_token as fileToken, size, sha256 from files')
    .all();
}
