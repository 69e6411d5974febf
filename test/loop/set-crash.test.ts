// The whole set as npm start runs it, and each part of it ended in the middle of a run; then all at once (SR-08).
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { openReadOnlyDatabase } from '#shared/database.ts';

import { watcherApplicationId } from '../../watcher/database/watcher-database.ts';
import { expectNothingLeft } from '../support/leak-check.ts';
import type { SeenEvent } from '../support/loop-world.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { setEnvironment, startedVault, startSet } from '../support/started-set.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';

const patience = { timeout: 90_000, interval: 300 };

describe.each([
  ['gateway', 'SIGKILL'],
  ['gateway', 'SIGTERM'],
  ['vault', 'SIGKILL'],
  ['vault', 'SIGTERM'],
  ['watcher', 'SIGKILL'],
  ['watcher', 'SIGTERM'],
] as const)('%s ended with %s in the middle of a run', (part, signal) => {
  test('is started again, and each message has its one answer, in order', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-set-'));
    const env = await setEnvironment({ SHUTDOWN_GRACE_SECS: '1', WATCHER_LEASE_SECS: '3' });
    await using set = startSet(directory.path, env);
    await set.ready();
    const vault = startedVault(env['VAULT_PORT'] ?? '');
    await vault.setUp(set.stderr());
    const runsDir = join(directory.path, 'data/sessions');
    // Whether it is asked once or twice: the second time it finds the way open.
    const first = await vault.say(`first\n${waitForGo}`);
    await untilHeld(runsDir, 1);
    process.kill(set.partPid(part), signal);
    await expect.poll(() => set.stderr(), patience).toContain(`${part} has ended`);
    const going = setInterval(() => letGo(runsDir), 300);
    try {
      await expect.poll(() => vault.answersTo(first).catch(() => []), patience).toHaveLength(1);
      const second = await vault.say('second');
      await expect.poll(() => vault.answersTo(second), patience).toEqual(['second']);
      expect(await vault.answersTo(first)).toEqual(['first']);
    } finally {
      clearInterval(going);
    }
    set.child.kill('SIGINT');
    expect(await set.exited).toBe(0);
  });
});

describe.each(vaultDatabases)('with the vault on %s', (kind) => {
  test('all of it killed at once in the middle of a run: what was written is answered after the next start, once, in order', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-set-'));
    await using database = await createTestDatabase(kind);
    const more = database.url === null ? {} : { DATABASE_URL: database.url };
    const env = await setEnvironment({ WATCHER_LEASE_SECS: '3', ...more });
    const vault = startedVault(env['VAULT_PORT'] ?? '');
    const dataDir = join(directory.path, 'data');
    const runsDir = join(dataDir, 'sessions');
    const set = startSet(directory.path, env);
    await set.ready();
    await vault.setUp(set.stderr());
    const under = await vault.say(`under way\n${waitForGo}`);
    const waiting = await vault.say('waiting');
    await untilHeld(runsDir, 1);
    const pids = ['gateway', 'vault', 'watcher'].map((name) => set.partPid(name));
    for (const pid of [...pids, set.child.pid ?? 0]) process.kill(pid, 'SIGKILL');
    await set.exited;

    await using again = startSet(directory.path, env);
    await again.ready();
    const going = setInterval(() => letGo(runsDir), 300);
    try {
      await expect.poll(() => vault.answersTo(under), patience).toEqual(['under way']);
      await expect.poll(() => vault.answersTo(waiting), patience).toEqual(['waiting']);
    } finally {
      clearInterval(going);
    }
    const { agent_id: agentId } = (await vault.ask('/agents'))[0];
    const events: SeenEvent[] = await vault.ask(`/agents/${agentId}/events?limit=200&order=asc`);
    const answered = events.flatMap(({ event_type: type, reply_to: to }: SeenEvent) =>
      type === 'assistant_message' ? [to] : [],
    );
    expect(answered).toEqual([under, waiting]);
    again.child.kill('SIGINT');
    expect(await again.exited).toBe(0);
    // The journal says the same, and nobody is left of the run that was killed with the set.
    expect(journalOf(dataDir)).toEqual([
      { id: under, state: 'posted' },
      { id: waiting, state: 'posted' },
    ]);
    await expectNothingLeft(dataDir);
  });
});

function journalOf(dataDir: string): unknown[] {
  const db = openReadOnlyDatabase(join(dataDir, 'watcher.db'), watcherApplicationId);
  try {
    return db.prepare('select event_id as id, state from messages order by seq').all();
  } finally {
    db.close();
  }
}
