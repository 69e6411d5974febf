// Another process holds the write lock of the vault's file.
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { startScript } from '../support/child-script.ts';
import type { Script } from '../support/child-script.ts';
import { expectNothingLost } from '../support/vault-facts.ts';
import { expectOnlyUnavailable } from '../support/vault-outage.ts';
import { startTestVault } from '../support/vault-world.ts';
import { startWriters } from '../support/vault-writers.ts';

/** From when it said "locked". */
function holdLock(dataDir: string, ms: number): Script {
  return startScript(
    `
    import SqliteDatabase from 'better-sqlite3';
    const db = new SqliteDatabase(process.env.DB);
    db.exec('begin immediate');
    console.log('locked');
    await new Promise((resolve) => setTimeout(resolve, ${ms}));
    db.exec('rollback');
  `,
    { DB: join(dataDir, 'vault.db') },
  );
}

async function startWorld() {
  const world = await startTestVault('sqlite');
  const { userId } = await world.person('admin');
  const { token } = await world.key(userId);
  const agentIds = [await world.agent(token)];
  const writers = startWriters({ url: () => world.url, token, agentIds, count: 10 });
  await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(20);
  return {
    ...{ world, token, writers },
    async [Symbol.asyncDispose]() {
      await writers[Symbol.asyncDispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

test('a lock that is held for a while is waited for, beside everything else', async () => {
  await using locked = await startWorld();
  const { world, token, writers } = locked;
  const longestGapsMs: number[] = [];
  for (let round = 1; round <= 3; round += 1) {
    await using holder = holdLock(world.dataDir, 1500);
    await holder.said('locked');
    const delay = monitorEventLoopDelay({ resolution: 10 });
    delay.enable();
    await sleep(50);
    const reads = await Promise.all(
      Array.from({ length: 10 }, () => world.call(token, '/agents').then(({ status }) => status)),
    );
    expect(reads).toEqual(reads.map(() => 200));
    const before = writers.acknowledged.length;
    await sleep(500);
    expect(writers.acknowledged.length).toBe(before);
    await holder.ended;
    delay.disable();
    longestGapsMs.push(delay.max / 1e6);
    await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(before + 50);
  }
  // Others use the machine, too: a wait that blocks would show in each round.
  expect(Math.min(...longestGapsMs)).toBeLessThan(200);
  await writers.stop();
  expect(writers.refusals).toEqual([]);
  await expectNothingLost(world.vault, writers.acknowledged);
});

test('a lock that is held for long is told to whoever waits, and is no fault afterwards', async () => {
  await using locked = await startWorld();
  const { world, token, writers } = locked;
  await using holder = holdLock(world.dataDir, 13_000);
  await holder.said('locked');
  await expect.poll(() => writers.refusals.length).toBeGreaterThanOrEqual(10);
  expectOnlyUnavailable(writers.refusals);
  expect((await world.call(token, '/agents')).status).toBe(200);
  expect((await world.call(null, '/health/ready')).status).toBe(200);
  await holder.ended;
  const before = writers.acknowledged.length;
  await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(before + 50);
  await writers.stop();
  expect(writers.slowestMs()).toBeLessThan(60_000);
  expectOnlyUnavailable(writers.refusals);
  await expectNothingLost(world.vault, writers.acknowledged);
  expect(world.logged().filter(({ msg }) => msg === 'request failed')).toEqual([]);
});
