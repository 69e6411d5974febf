// The whole set as npm start runs it, and each part of it ended in the middle of a run; then all at once (SR-08).
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { setEnvironment, startedVault, startSet } from '../support/started-set.ts';

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

test('all of it killed at once in the middle of a run: what was written is answered after the next start, once', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-set-'));
  const env = await setEnvironment({ WATCHER_LEASE_SECS: '3' });
  const vault = startedVault(env['VAULT_PORT'] ?? '');
  const runsDir = join(directory.path, 'data/sessions');
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
  // Nobody is left of the run that was killed with the set.
  const { agent_id: agentId } = (await vault.ask('/agents'))[0];
  const events = await vault.ask(`/agents/${agentId}/events?limit=200`);
  const answers = events.filter(
    ({ event_type: type }: { event_type: string }) => type === 'assistant_message',
  );
  expect(answers).toHaveLength(2);
});
