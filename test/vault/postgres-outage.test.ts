// PostgreSQL goes and comes back under load: nothing acknowledged is lost, nobody waits for ever, and nobody has to help.
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { readEvents } from '../support/event-reader.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { expectNothingLost } from '../support/vault-facts.ts';
import {
  connectTo,
  expectEveryEvent,
  expectOnlyUnavailable,
  expectToRecover,
  startOutageWorld,
} from '../support/vault-outage.ts';
import type { TestVault } from '../support/vault-world.ts';
import { startWriters } from '../support/vault-writers.ts';

/** While the database is away. */
async function expectToSaySo(world: TestVault, token: string): Promise<void> {
  const ready = await world.call(null, '/health/ready');
  expect(ready).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
  expect(ready.body.error.message).toContain('database');
  expect(ready.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect((await world.call(null, '/health/live')).status).toBe(200);
  const asked = await Promise.all([
    world.call(token, '/agents'),
    world.call(token, '/agents/order'),
  ]);
  for (const answer of asked) {
    expect(answer).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
    expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  }
}

const ends: [string, boolean, (server: PostgresServer) => Promise<void>][] = [
  ['is stopped', false, (server) => server.stop('fast')],
  ['is stopped at once', true, (server) => server.stop('immediate')],
  ['is killed', true, (server) => server.kill()],
];

describe.each(ends)('PostgreSQL %s under load', (_how, durable, end) => {
  test('and comes back: 503 meanwhile, nothing acknowledged is lost, streams have no gap', async () => {
    await using outage = await startOutageWorld(durable);
    const { server, world, token, agentIds } = outage;
    const all = await readEvents(`${world.url}/api/v1/stream?since=0`, token);
    const one = await readEvents(`${world.url}/api/v1/agents/${agentIds[0]}/stream?since=0`, token);
    await using writers = startWriters({ url: () => world.url, token, agentIds, count: 10 });
    for (let round = 1; round <= 2; round += 1) {
      await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(60 * round);
      await end(server);
      await expectToSaySo(world, token);
      await sleep(1000);
      await server.start();
      await expectToRecover(world, token, writers);
    }
    await writers.stop();
    expectOnlyUnavailable(writers.refusals);
    expect(writers.refusals.length).toBeGreaterThan(0);
    expect(writers.slowestMs()).toBeLessThan(60_000);
    await expectNothingLost(world.vault, writers.acknowledged);
    for (const [reader, feeds] of [
      [all, null],
      [one, agentIds.slice(0, 1)],
    ] as const) {
      await expectEveryEvent(world, reader.events, feeds);
      await reader[Symbol.asyncDispose]();
    }
    expect(world.logged().filter(({ msg }) => msg === 'request failed')).toEqual([]);
  });
});

test('whoever loses the connection in the middle of a write repeats it, and all is there once', async () => {
  await using outage = await startOutageWorld();
  const { world, token, agentIds } = outage;
  await using reader = await readEvents(`${world.url}/api/v1/stream?since=0`, token);
  await using writers = startWriters({ url: () => world.url, token, agentIds, count: 10 });
  await using other = await connectTo(outage.server.url);
  for (let round = 1; round <= 30; round += 1) {
    await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(10 * round);
    await other.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gatehouse-vault'",
    );
  }
  await writers.stop();
  expectOnlyUnavailable(writers.refusals);
  await expectNothingLost(world.vault, writers.acknowledged);
  await expectEveryEvent(world, reader.events, null);
});
