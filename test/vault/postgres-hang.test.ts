// A PostgreSQL that does not answer, and one that somebody else keeps locked: nobody waits for ever.
import { setTimeout as sleep } from 'node:timers/promises';

import { expect, test } from 'vitest';

import { readEvents } from '../support/event-reader.ts';
import { childrenOf } from '../support/process-facts.ts';
import { expectNothingLost } from '../support/vault-facts.ts';
import {
  connectTo,
  expectEveryEvent,
  expectOnlyUnavailable,
  expectToRecover,
  startOutageWorld,
} from '../support/vault-outage.ts';
import { startWriters } from '../support/vault-writers.ts';

test('a PostgreSQL that hangs keeps nobody for ever, and nothing of what it was asked is done by halves', async () => {
  await using outage = await startOutageWorld();
  const { server, world, token, agentIds } = outage;
  await using reader = await readEvents(`${world.url}/api/v1/stream?since=0`, token);
  await using writers = startWriters({ url: () => world.url, token, agentIds, count: 10 });
  await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(60);
  const pid = server.pid() ?? 0;
  const pids = [pid, ...childrenOf(pid)];
  signalAll('SIGSTOP', pids);
  try {
    const ready = await world.call(null, '/health/ready');
    expect(ready).toMatchObject({ status: 503 });
    expect(ready.body.error.message).toContain('database');
    expect((await world.call(null, '/health/live')).status).toBe(200);
    await expect
      .poll(() => writers.refusals.length, { timeout: 25_000 })
      .toBeGreaterThanOrEqual(10);
    // Once it is known not to answer, nobody waits as long again.
    expect((await world.call(token, '/agents')).status).toBe(503);
  } finally {
    signalAll('SIGCONT', pids);
  }
  await expectToRecover(world, token, writers);
  await writers.stop();
  expectOnlyUnavailable(writers.refusals);
  expect(writers.slowestMs()).toBeLessThan(60_000);
  await expectNothingLost(world.vault, writers.acknowledged);
  await expectEveryEvent(world, reader.events, null);
});

function signalAll(signal: NodeJS.Signals, pids: readonly number[]): void {
  for (const each of pids) process.kill(each, signal);
}

/** What every version of the vault takes before it writes. */
const writerLock = 0x47544856;

test('somebody else who writes is waited for, and who waits too long is told; reads go on', async () => {
  await using outage = await startOutageWorld();
  const { world, token, agentIds } = outage;
  await using writers = startWriters({ url: () => world.url, token, agentIds, count: 5 });
  await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(20);
  await using other = await connectTo(world.database.url ?? '');
  const holdLock = async (ms: number): Promise<void> => {
    await other.query(`select pg_advisory_lock(${writerLock})`);
    await sleep(ms);
    await other.query(`select pg_advisory_unlock(${writerLock})`);
  };
  await holdLock(1500);
  expect(writers.refusals).toEqual([]);
  const held = holdLock(17_000);
  await expect.poll(() => writers.refusals.length, { timeout: 17_000 }).toBeGreaterThan(0);
  for (let ask = 0; ask < 20; ask += 1) {
    expect((await world.call(token, '/agents')).status).toBe(200);
  }
  await held;
  await expectToRecover(world, token, writers);
  await writers.stop();
  expectOnlyUnavailable(writers.refusals);
  await expectNothingLost(world.vault, writers.acknowledged);
});
