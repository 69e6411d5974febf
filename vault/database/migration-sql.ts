// The migrations are written once for both databases.

/** SQLite's integers have 64 bits, and its tables are asked to be strict. */
export function toSqlite(sql: string): string {
  return sql.replaceAll(/\bbigint\b/g, 'integer').replaceAll('/* strict */', 'strict');
}
