// Rights that the watcher loses while it runs, and a disk that it cannot write to: what is said, and that it goes on afterwards.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWatcher, LoopWorld, SeenEvent } from '../support/loop-world.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { canMount, mountSmallDisk, needsMount } from '../support/small-disk.ts';

const patience = { timeout: 60_000 };

async function repliesTo(world: LoopWorld, eventId: string): Promise<string[]> {
  return (await world.feed()).flatMap(
    ({ reply_to: to, event_type: type, content }: SeenEvent): string[] =>
      to === eventId && (type === 'assistant_message' || type === 'system') ? [content] : [],
  );
}

function messagesOf(watcher: LoopWatcher): unknown[] {
  return watcher.logged().map(({ msg }) => msg);
}

/** The feed has the answer a moment before the journal knows that it has. */
async function untilAllIsAnswered({ watcher }: LoopWatcher): Promise<void> {
  await expect
    .poll(() => watcher.health(), patience)
    .toMatchObject({ open_messages: 0, dead_letters: 0 });
}

test('its token of the gateway is revoked: the feed says so once, and with another one every message is answered', async () => {
  await using world = await startLoopWorld();
  const watcher = await world.startWatcher();
  const before = await world.say('before');
  await world.answerTo(before.event_id);
  await world.gateway.admin('/admin/tokens/watcher', undefined, 'DELETE');
  const first = await world.say('first');
  const second = await world.say('second');
  const notice = expect.stringMatching(
    /^The gateway does not take the watcher's token.*It goes on by itself after that\.$/s,
  );
  await expect.poll(() => repliesTo(world, first.event_id), patience).toEqual([notice]);
  await expect
    .poll(async () => {
      const { body } = await world.vault.call(world.admin.token, `/agents/${world.agentId}`);
      return [body.data.status, body.data.status_text];
    }, patience)
    .toEqual(['error', expect.stringContaining('the gateway cannot be asked')]);
  await expect
    .poll(() => watcher.watcher.health())
    .toMatchObject({ open_messages: 2, dead_letters: 0 });
  await watcher.close();

  const token = await world.gateway.mint('watcher');
  await world.startWatcher({ WATCHER_GATEWAY_TOKEN: token });
  await expect.poll(() => repliesTo(world, first.event_id), patience).toEqual([notice, 'first']);
  await expect.poll(() => repliesTo(world, second.event_id), patience).toEqual(['second']);
});

test('its key of the vault is revoked in the middle of a run: health and log say so, and the answer comes under another key, once', async () => {
  await using world = await startLoopWorld();
  const { token, keyId } = await world.vault.key(world.admin.userId);
  const env = { WATCHER_LEASE_SECS: '3', WATCHER_POLL_SECS: '0.3' };
  const watcher = await world.startWatcher({ ...env, WATCHER_VAULT_KEY: token });
  const held = await world.say(`held\n${waitForGo}`);
  await untilHeld(world.runsDir, 1);
  const revoked = await world.vault.call(world.admin.token, `/keys/${keyId}`, {
    ...{ method: 'DELETE', headers: { 'if-match': '"1"' } },
  });
  expect(revoked.status).toBeLessThan(300);
  letGo(world.runsDir);
  await expect.poll(() => watcher.watcher.health().vault, patience).toBe('away');
  await expect
    .poll(() => watcher.logged())
    .toContainEqual(
      expect.objectContaining({ err: expect.objectContaining({ code: 'unauthorized' }) }),
    );
  await expect.poll(() => watcher.watcher.health().open_messages).toBe(1);
  await watcher.close();

  const other = await world.startWatcher(env);
  await expect.poll(() => repliesTo(world, held.event_id), patience).toEqual(['held']);
  await untilAllIsAnswered(other);
  expect((await world.gateway.admin('/admin/runs')).body.items).toHaveLength(1);
});

describe.skipIf(!canMount)(`a disk of the watcher that is full${needsMount}`, () => {
  test('is said as what it is; what was written meanwhile is answered when there is room, once', async () => {
    using disk = mountSmallDisk(24);
    if (disk === null) return;
    await using world = await startLoopWorld();
    const dataDir = join(disk.path, 'watcher');
    mkdirSync(dataDir, { mode: 0o700 });
    const watcher = await world.startWatcher({ WATCHER_POLL_SECS: '0.3' }, dataDir);
    await world.answerTo((await world.say('before')).event_id);
    disk.fill(0);
    const large = await world.say(`large ${'x'.repeat(500_000)}`);
    const small = await world.say('small');
    await expect
      .poll(() => messagesOf(watcher), patience)
      .toContain('what the vault has cannot be stored here');
    expect(watcher.watcher.health()).toMatchObject({ vault: 'stalled' });
    expect(messagesOf(watcher)).not.toContain('the vault does not answer');
    disk.empty();
    for (const { event_id: id } of [large, small]) {
      await expect.poll(async () => (await repliesTo(world, id)).length, patience).toBe(1);
    }
    await untilAllIsAnswered(watcher);
    expect((await world.gateway.admin('/admin/runs')).body.items).toHaveLength(3);
    await watcher.close();
  });
});
