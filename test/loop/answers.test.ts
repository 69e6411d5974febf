// A message to an agent, and what comes of it.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { readProjectVersion } from '#shared/project-version.ts';

import { startLoopWorld } from '../support/loop-world.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const types = (feed: { event_type: string }[]) => feed.map(({ event_type: type }) => type);

test('is answered once, in the session of its agent, with its run and its use', async () => {
  await using world = await startLoopWorld();
  const watcher = await world.startWatcher();
  const first = await world.say('remember the apple');
  const answer = await world.answerTo(first.event_id);
  expect(answer).toMatchObject({
    ...{ event_type: 'assistant_message', content: 'remember the apple', agent_id: world.agentId },
    metadata: { source: 'api', outcome: 'completed', run_id: expect.stringMatching(/^run_/) },
  });
  const second = await world.say('@@history');
  expect((await world.answerTo(second.event_id)).content).toContain('remember the apple');
  const seen = types(await world.feed()).filter((type) => !type.startsWith('agent_'));
  expect(seen).toEqual([
    ...['user_message', 'claim_taken', 'assistant_message'],
    ...['user_message', 'claim_taken', 'assistant_message'],
  ]);
  // The feed has the answer a moment before the journal knows.
  await expect
    .poll(() => watcher.watcher.health())
    .toMatchObject({
      vault: 'stream',
      open_messages: 0,
      dead_letters: 0,
    });
});

test('the vault is told of the host, its gateway and the versions of both', async () => {
  await using world = await startLoopWorld();
  await world.startWatcher({ WATCHER_HOST_NAME: 'attic' });
  const { token } = world.admin;
  const report = async () => (await world.vault.call(token, '/hosts')).body.data[0]?.report;
  const version = await readProjectVersion();
  await expect.poll(report).toMatchObject({
    health: 'ok',
    gateway: {
      ...{ health: 'ok', version, claude_version: expect.stringContaining('(Claude Code)') },
      ...{ sandbox: expect.any(String), queue: { running: 0, waiting: 0 } },
      ...{ subscription: { windows: [] }, usage_24h: { runs: 0 } },
    },
    watcher: { version, feed: 'stream', open_messages: 0, dead_letters: 0 },
    host: { cpus: expect.any(Number), memory_free_mb: expect.any(Number) },
  });
});

test('streams while it is written, and the pieces go when it is there', async () => {
  await using world = await startLoopWorld();
  await world.startWatcher();
  const { event_id: id } = await world.say(`one two three\n${waitForGo}`);
  await untilHeld(world.runsDir, 1);
  letGo(world.runsDir);
  expect((await world.answerTo(id)).content).toContain('one two three');
  expect(types(await world.feed())).not.toContain('assistant_delta');
});

test('messages of one conversation are answered in order, others do not wait for them', async () => {
  await using world = await startLoopWorld({ settings: { session: 'thread', concurrency: 4 } });
  await world.startWatcher();
  const held = await world.say(`first\n${waitForGo}`, { metadata: { thread: 'a' } });
  await untilHeld(world.runsDir, 1);
  const behind = await world.say('second', { metadata: { thread: 'a' } });
  const beside = await world.say('beside', { metadata: { thread: 'b' } });
  await world.answerTo(beside.event_id);
  const answered = (await world.feed()).flatMap(({ event_type: type, reply_to: to }) =>
    type === 'assistant_message' ? [to] : [],
  );
  expect(answered).toEqual([beside.event_id]);
  letGo(world.runsDir);
  await world.answerTo(held.event_id);
  await world.answerTo(behind.event_id);
});

test('is stopped from the page within a moment, and the feed says so', async () => {
  await using world = await startLoopWorld();
  await world.startWatcher();
  const { event_id: id } = await world.say('@@silent');
  await expect
    .poll(async () => (await world.gateway.admin('/admin/runs?status=running')).body.items)
    .toHaveLength(1);
  const stop = { event_type: 'cancel_request', content: '', reply_to: id };
  await world.vault.post(world.admin.token, world.agentId, stop);
  expect(await world.answerTo(id)).toMatchObject({
    ...{ event_type: 'system', content: 'Stopped.', metadata: { outcome: 'cancelled' } },
  });
  const next = await world.say('go on');
  expect((await world.answerTo(next.event_id)).content).toBe('go on');
});

test('that always fails gets its attempts, one notice, and can be tried again', async () => {
  await using world = await startLoopWorld();
  const watcher = await world.startWatcher({ WATCHER_ATTEMPTS: '1' });
  const bad = await world.say('@@exit 1');
  const good = await world.say('the next one');
  expect(await world.answerTo(bad.event_id)).toMatchObject({
    ...{ event_type: 'system', metadata: { outcome: 'crashed', attempt: 1 } },
    content: expect.stringMatching(/^There is no answer: .*exit code 1/),
  });
  await world.answerTo(good.event_id);
  expect(watcher.watcher.health().dead_letters).toBe(1);
  expect(await watcher.watcher.journal.replayDead(null)).toBe(1);
  await expect
    .poll(async () =>
      (await world.feed()).filter(
        ({ reply_to: to, event_type: type }) => to === bad.event_id && type === 'system',
      ),
    )
    .toHaveLength(2);
});

test('of another source goes to the inbox of its agent, whole, once, and starts no run', async () => {
  const inbox = mkdtempSync(join(tmpdir(), 'gatehouse-inbox-'));
  await using world = await startLoopWorld({ settings: { inbox } });
  await world.startWatcher();
  const key = await world.vault.key(world.admin.userId);
  const event = await world.vault.post(key.token, world.agentId, {
    ...{ event_type: 'user_message', content: 'from a script' },
  });
  const file = join(inbox, '.claude-vault-inbox.md');
  await expect.poll(() => existsSync(file)).toBe(true);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`<!-- ${event.event_id} -->`);
  expect(text).toContain('from a script');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect((await world.gateway.admin('/admin/runs')).body.items).toEqual([]);
});

test('an inbox that is a link is not followed', async () => {
  const inbox = mkdtempSync(join(tmpdir(), 'gatehouse-inbox-'));
  mkdirSync(join(inbox, 'other'));
  writeFileSync(join(inbox, 'other', 'target'), 'precious');
  symlinkSync(join(inbox, 'other', 'target'), join(inbox, '.claude-vault-inbox.md'));
  await using world = await startLoopWorld({ settings: { inbox } });
  const watcher = await world.startWatcher();
  const key = await world.vault.key(world.admin.userId);
  await world.vault.post(key.token, world.agentId, { event_type: 'user_message', content: 'x' });
  await expect
    .poll(() => watcher.logged().map(({ msg }) => msg))
    .toContain('an inbox cannot be written');
  expect(readFileSync(join(inbox, 'other', 'target'), 'utf8')).toBe('precious');
});

test('by polling alone it is answered as well', async () => {
  await using world = await startLoopWorld();
  const watcher = await world.startWatcher({
    WATCHER_PUSH: 'false',
    WATCHER_POLL_SECS: '0.2',
  });
  const first = await world.say('one');
  await world.answerTo(first.event_id);
  expect(watcher.watcher.health().vault).toBe('polling');
});

test('a watcher that was stopped goes on where it was', async () => {
  await using world = await startLoopWorld();
  const first = await world.startWatcher();
  const { event_id: id } = await world.say(`held\n${waitForGo}`);
  await untilHeld(world.runsDir, 1);
  await first.close();
  const meanwhile = await world.say('meanwhile');
  letGo(world.runsDir);
  await world.startWatcher();
  expect((await world.answerTo(id)).content).toContain('held');
  await world.answerTo(meanwhile.event_id);
  const runs = await world.gateway.admin('/admin/runs');
  expect(runs.body.items).toHaveLength(2);
});
