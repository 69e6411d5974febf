// kill -9 under load, again and again: what was acknowledged stays, and what is repeated is done once.
import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from 'vitest';

import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import { expectNothingLost } from '../support/vault-facts.ts';
import { seedVault, startVaultProcess } from '../support/vault-process.ts';
import { startTestVault } from '../support/vault-world.ts';
import { startWriters } from '../support/vault-writers.ts';

const rounds = { sqlite: 20, postgres: 3 };
/** Each round starts a process, which takes its time on a busy machine. */
const testTimeoutMs = 180_000;

describe.each(vaultDatabases)('on %s', (kind) => {
  test(
    'a vault that is killed at random loses nothing that it has acknowledged, and makes nothing twice',
    async () => {
      await using database = await createTestDatabase(kind);
      await using seeded = await seedVault(database, 3);
      const { dataDir, token, agentIds } = seeded;
      let url = 'http://127.0.0.1:1';
      await using writers = startWriters({ url: () => url, token, agentIds, count: 8 });
      for (let round = 1; round <= rounds[kind]; round += 1) {
        const before = writers.acknowledged.length;
        await using vault = await startVaultProcess(dataDir, database);
        url = vault.url;
        await expect
          .poll(() => writers.acknowledged.length, { interval: 5 })
          .toBeGreaterThan(before);
        await sleep(Math.random() * 300);
        await vault.kill();
      }
      await using last = await startTestVault(kind, { dataDir, database, keep: true });
      ({ url } = last);
      await writers.stop();
      expect(writers.refusals).toEqual([]);
      await expectNothingLost(last.vault, writers.acknowledged);
      // What everybody sees of it: one event after the other, none twice.
      const seqs: number[] = [];
      for (let after: string | null = '0'; after !== null;) {
        const path = `/agents/${agentIds[0]}/events?limit=200&type=user_message&since=${after}`;
        const { body } = await last.call(token, path);
        seqs.push(...body.data.map(({ seq }: { seq: number }) => seq));
        after = body.next;
      }
      const acknowledged = writers.acknowledged.filter(({ agentId }) => agentId === agentIds[0]);
      expect(seqs).toEqual(acknowledged.map(({ seq }) => seq).toSorted((a, b) => a - b));
    },
    testTimeoutMs,
  );
});
