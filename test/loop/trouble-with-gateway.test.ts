// What the gateway may do to the watcher (WE-09, WE-14), what only its operator can mend, and a gateway that is away.
import { copyFileSync, mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { startFaultyService } from '../support/faulty-service.ts';
import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWorld, SeenEvent } from '../support/loop-world.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { attachTo } from '../support/vault-uploads.ts';

async function repliesTo(world: LoopWorld, eventId: string): Promise<SeenEvent[]> {
  return (await world.feed()).filter(
    ({ reply_to: to, event_type: type }: SeenEvent) =>
      to === eventId && (type === 'assistant_message' || type === 'system'),
  );
}

/** Of what the watcher has at the gateway. */
async function listOf(world: LoopWorld, path: string): Promise<SeenEvent[]> {
  const headers = { authorization: `Bearer ${world.gatewayToken}` };
  const answer: SeenEvent = await (await fetch(world.gateway.url + path, { headers })).json();
  return answer.items;
}

async function agentStatus(world: LoopWorld): Promise<[string, string | null]> {
  const { body } = await world.vault.call(world.admin.token, `/agents/${world.agentId}`);
  return [body.data.status, body.data.status_text];
}

test('without a login the feed says what is needed, once, and it goes on by itself', async () => {
  await using world = await startLoopWorld({ gatewayEnv: { AUTH_RETRY_SECS: '1' } });
  await world.startWatcher();
  const bad = await world.say('@@error 401');
  await expect.poll(async () => (await repliesTo(world, bad.event_id)).length).toBe(1);
  const [notice] = await repliesTo(world, bad.event_id);
  expect(notice).toMatchObject({
    ...{ event_type: 'system', metadata: { notice: 'auth' } },
    content: expect.stringMatching(/^Login needed: .*It goes on by itself after that\.$/s),
  });
  // It is still to be answered, and may be called off at once.
  await world.vault.post(world.admin.token, world.agentId, {
    ...{ event_type: 'cancel_request', content: '', reply_to: bad.event_id },
  });
  expect(await world.answerTo(bad.event_id)).toMatchObject({ metadata: { outcome: 'cancelled' } });
  const next = await world.say('somebody has signed in');
  expect((await world.answerTo(next.event_id)).content).toBe('somebody has signed in');
  expect(await repliesTo(world, bad.event_id)).toHaveLength(2);
});

test('without claude as well; it is answered when there is one', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-no-claude-'));
  const path = join(directory.path, 'claude.ts');
  await using world = await startLoopWorld({ gatewayEnv: { CLAUDE_BIN: path } });
  await world.startWatcher();
  const asked = await world.say('is anybody there?');
  await expect.poll(async () => (await repliesTo(world, asked.event_id)).length).toBe(1);
  expect((await repliesTo(world, asked.event_id))[0]).toMatchObject({
    content: expect.stringMatching(/^The gateway has no claude: /),
  });
  const { fakeClaude } = await import('../support/gateway-environment.ts');
  copyFileSync(fakeClaude, path);
  await expect
    .poll(async () => (await repliesTo(world, asked.event_id)).map((event) => event.content), {
      timeout: 60_000,
    })
    .toEqual([expect.stringMatching(/^The gateway has no claude: /), 'is anybody there?']);
});

test('a session that is gone is begun anew, once, and the answer says so', async () => {
  await using world = await startLoopWorld();
  await world.startWatcher();
  await world.answerTo((await world.say('remember the apple')).event_id);
  const [{ session_id: first }] = await listOf(world, '/sessions');
  await fetch(`${world.gateway.url}/sessions/${first}`, {
    ...{ method: 'DELETE', headers: { authorization: `Bearer ${world.gatewayToken}` } },
  });
  const second = await world.say('@@history');
  const answer = await world.answerTo(second.event_id);
  expect(answer).toMatchObject({
    ...{ content: '```json\n[]\n```', metadata: { session_reset: true } },
  });
  const third = await world.answerTo((await world.say('and on')).event_id);
  expect(third.metadata).not.toHaveProperty('session_reset');
  expect(await repliesTo(world, second.event_id)).toHaveLength(1);
});

test('no empty answer is posted, and a long one is cut between characters', async () => {
  await using world = await startLoopWorld();
  await world.startWatcher({ WATCHER_ATTEMPTS: '1' });
  const empty = await world.say('@@empty');
  expect(await world.answerTo(empty.event_id)).toMatchObject({
    ...{ event_type: 'system', metadata: { outcome: 'empty' } },
    content: expect.stringMatching(/^There is no answer: /),
  });
  const failed = await world.say('@@error 500');
  expect((await world.answerTo(failed.event_id)).metadata.outcome).toBe('upstream_error');
  const long = `a${'😀'.repeat(120_000)}`;
  const asked = await world.say(long);
  const answer = await world.answerTo(asked.event_id);
  const [text = '', rest = ''] = answer.content.split('\n\n[cut: ');
  expect([text.length, rest]).toEqual([199_999, '240001 characters]']);
  expect(text).toBe(long.slice(0, 199_999));
  expect(text.isWellFormed()).toBe(true);
  expect(await repliesTo(world, asked.event_id)).toHaveLength(1);
});

test('files of a message go with it', async () => {
  await using world = await startLoopWorld();
  await world.startWatcher();
  const { token } = world.admin;
  const id = await attachTo(world.vault, token, world.agentId, 'the apple is red');
  const read = await world.say('what is in it?', { attachments: [id] });
  expect((await world.answerTo(read.event_id)).event_type).toBe('assistant_message');
  expect(await listOf(world, '/files')).toMatchObject([{ media_type: 'text/plain', size: 16 }]);
});

test('away for a while: the page is told, and what was under way and what waits is answered', async () => {
  await using world = await startLoopWorld();
  await using gateway = await startFaultyService(world.gateway.url);
  const watcher = await world.startWatcher({ WATCHER_GATEWAY_URL: gateway.url });
  const held = await world.say(`held\n${waitForGo}`);
  await untilHeld(world.runsDir, 1);
  gateway.goAway();
  const waiting = await world.say('written while it is away');
  await expect
    .poll(() => agentStatus(world), { timeout: 60_000 })
    .toEqual(['error', 'the gateway does not answer']);
  expect(watcher.watcher.health().vault).toBe('stream');
  letGo(world.runsDir);
  gateway.comeBack();
  expect((await world.answerTo(held.event_id)).content).toContain('held');
  expect((await world.answerTo(waiting.event_id)).content).toBe('written while it is away');
  await expect.poll(() => agentStatus(world), { timeout: 60_000 }).toEqual(['online', null]);
  const runs = await world.gateway.admin('/admin/runs');
  expect(runs.body.items).toHaveLength(2);
  for (const { event_id: id } of [held, waiting]) {
    expect(await repliesTo(world, id)).toHaveLength(1);
  }
});
