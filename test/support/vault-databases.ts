// The databases that the vault runs on, and a fresh one of either kind for a test: `describe.each(vaultDatabases)('on %s', …)`.
import { randomUUID } from 'node:crypto';

import { Client } from 'pg';
import { inject } from 'vitest';

export const vaultDatabases = ['sqlite', 'postgres'] as const;
export type VaultDatabase = (typeof vaultDatabases)[number];

export type TestDatabase = AsyncDisposable & {
  kind: VaultDatabase;
  /** What `DATABASE_URL` is to be; null for SQLite, which is a file in the data directory. */
  url: string | null;
};

export async function createTestDatabase(kind: VaultDatabase): Promise<TestDatabase> {
  if (kind === 'postgres') return await createPostgresDatabase(inject('postgresUrl'));
  return { kind, url: null, [Symbol.asyncDispose]: () => Promise.resolve() };
}

/** On a server whose URL of the superuser this is; dropped at the end, whoever is still connected. */
export async function createPostgresDatabase(
  serverUrl: string,
): Promise<TestDatabase & { url: string }> {
  const name = `vault_${randomUUID().replaceAll('-', '')}`;
  await query(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = name;
  return {
    kind: 'postgres',
    url: url.href,
    [Symbol.asyncDispose]: () => dropDatabase(serverUrl, name),
  };
}

export async function query(url: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function dropDatabase(serverUrl: string, name: string): Promise<void> {
  await query(serverUrl, `drop database ${name} with (force)`);
}
