// A vault on a PostgreSQL server of its own, which a test stops, kills or lets hang; and what has to hold then.
import { Client } from 'pg';
import { expect } from 'vitest';

import type { SeenEvent } from './event-reader.ts';
import { startPostgresServer } from './postgres-server.ts';
import { createPostgresDatabase } from './vault-databases.ts';
import { startTestVault } from './vault-world.ts';
import type { TestVault } from './vault-world.ts';
import type { Refusal, Writers } from './vault-writers.ts';

export async function startOutageWorld(durable = false) {
  await using opened = new AsyncDisposableStack();
  const server = opened.use(await startPostgresServer({ durable }));
  // Not dropped at the end: the server goes with all that is in it.
  const { url } = await createPostgresDatabase(server.url);
  const database = { kind: 'postgres', url, [Symbol.asyncDispose]: async () => {} } as const;
  const world = opened.use(await startTestVault('postgres', { database }));
  const { userId } = await world.person('admin');
  const { token } = await world.key(userId);
  const agentIds = [await world.agent(token), await world.agent(token)];
  const kept = opened.move();
  return {
    ...{ server, world, token, agentIds },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

export async function expectToRecover(
  world: TestVault,
  token: string,
  writers: Writers,
): Promise<void> {
  const before = writers.acknowledged.length;
  await expect.poll(async () => (await world.call(null, '/health/ready')).status).toBe(200);
  await expect.poll(async () => (await world.call(token, '/agents')).status).toBe(200);
  await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(before + 40);
}

/** All are 503 with a time to come back; none is anything else. */
export function expectOnlyUnavailable(refusals: readonly Refusal[]): void {
  const others = refusals.filter(
    ({ status, code, retryAfter }) =>
      status !== 503 || code !== 'unavailable' || !/^[1-9]\d*$/.test(retryAfter ?? ''),
  );
  expect(others).toEqual([]);
}

/** A reader of the feeds of these agents, or of all, has every event once and in order. */
export async function expectEveryEvent(
  { vault }: TestVault,
  seen: readonly Pick<SeenEvent, 'id'>[],
  agentIds: readonly string[] | null,
): Promise<void> {
  const rows = await vault.database.reads
    .selectFrom('events')
    .select('seq')
    .where((eb) => (agentIds === null ? eb.lit(true) : eb('agentId', 'in', agentIds)))
    .orderBy('seq')
    .execute();
  const stored = rows.map(({ seq }) => seq);
  const streamed = (): (number | null)[] => seen.map(({ id }) => id).filter((id) => id !== null);
  await expect.poll(() => streamed().length).toBeGreaterThanOrEqual(stored.length);
  expect(streamed()).toEqual(stored);
}

/** Somebody else in the database. */
export async function connectTo(
  url: string,
): Promise<AsyncDisposable & { query: (text: string) => Promise<void> }> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return {
    query: async (text) => void (await client.query(text)),
    [Symbol.asyncDispose]: () => client.end(),
  };
}
