// A disk that is full, as a small file system of its own: mounted for the test, which needs root.
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { canMount, mountSmallDisk, needsMount } from '../support/small-disk.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';
import { createTestDatabase } from '../support/vault-databases.ts';
import { expectNothingLost } from '../support/vault-facts.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { VaultAnswer } from '../support/vault-world.ts';
import type { PostedEvent } from '../support/vault-writers.ts';

const full = {
  status: 507,
  body: { success: false, error: { code: 'disk_full', retryable: true } },
};

async function startWorld(dataDir: string) {
  // Half a minute in which nothing happens is over at once.
  let skippedMs = 0;
  const real = createSteppingClock();
  const clock = { ...real, monotonicMs: () => real.monotonicMs() + skippedMs };
  const database = await createTestDatabase('sqlite');
  const world = await startTestVault('sqlite', { dataDir, database, keep: true, clock });
  const { userId } = await world.person('admin');
  const { token } = await world.key(userId);
  const agentId = await world.agent(token);
  const acknowledged: PostedEvent[] = [];
  let number = 0;
  const post = async (content: string): Promise<VaultAnswer> => {
    const key = `k${(number += 1)}`;
    const answer = await world.call(token, `/agents/${agentId}/events`, {
      body: { event_type: 'user_message', content },
      headers: { 'idempotency-key': key },
    });
    if (answer.status === 201) {
      const { seq, event_id: eventId } = answer.body.data;
      acknowledged.push({ key, agentId, seq, eventId });
    }
    return answer;
  };
  return {
    ...{ world, token, agentId, acknowledged, post },
    skip: (ms: number) => void (skippedMs += ms),
    [Symbol.asyncDispose]: world[Symbol.asyncDispose],
  };
}

describe.skipIf(!canMount)(`a full disk${needsMount}`, () => {
  test('refuses what is written, shows what is there, and recovers without help', async () => {
    using disk = mountSmallDisk(32);
    if (disk === null) return;
    const dataDir = join(disk.path, 'data');
    await using fullDisk = await startWorld(dataDir);
    const { world, token, agentId, acknowledged, post, skip } = fullDisk;
    const reserve = join(dataDir, 'vault-reserve');
    expect((await post('before')).status).toBe(201);

    for (let round = 1; round <= 2; round += 1) {
      expect(existsSync(reserve)).toBe(true);
      disk.fill(0);
      // The reserve is given up first, which lets a few small ones in.
      const large = 'x'.repeat(300_000);
      await expect.poll(() => post(large)).toMatchObject(full);
      for (let again = 0; again < 3; again += 1) expect(await post(large)).toMatchObject(full);
      const many = await Promise.all(Array.from({ length: 30 }, () => post(large)));
      for (const answer of many) expect(answer).toMatchObject(full);

      expect((await world.call(token, '/agents')).body.data.length).toBeGreaterThan(0);
      const page = await world.call(token, `/agents/${agentId}/events?type=user_message&limit=200`);
      expect(page.body.data).toHaveLength(acknowledged.length);
      expect((await world.call(null, '/health/live')).status).toBe(200);
      expect(
        (await world.call(token, '/agents', { body: { name: `a${round}` } })).status,
      ).toSatisfy((status) => status === 201 || status === 507);

      disk.empty();
      expect((await post(large)).status).toBe(201);
      // There is room again: the next full disk finds a reserve as well.
      skip(60_000);
      await expect.poll(() => post('more').then(() => existsSync(reserve))).toBe(true);
    }
    await expectNothingLost(world.vault, acknowledged);
    expect(world.logged().filter(({ msg }) => msg === 'request failed')).toEqual([]);
  });

  test('takes the small ones among many, and refuses the large one alone', async () => {
    using disk = mountSmallDisk(32);
    if (disk === null) return;
    const dataDir = join(disk.path, 'data');
    await using world = await startWorld(dataDir);
    disk.fill(300);
    // More than there is, with the reserve.
    const large = '\u6c34'.repeat(1_000_000);
    const few = (content: string) => Array.from({ length: 5 }, () => world.post(content));
    const answers = await Promise.all([...few('small'), ...few(large), ...few('small')]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses).toEqual([201, 507, 201].flatMap((status) => Array(5).fill(status)));
    await expectNothingLost(world.world.vault, world.acknowledged);
  });
});
