// What the vault may do to the watcher (WE-05), and a vault that is away: one answer for each message, none lost, in order.
import { describe, expect, test } from 'vitest';

import { startFaultyService, vaultRefusal } from '../support/faulty-service.ts';
import type { Fault } from '../support/faulty-service.ts';
import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWorld, SeenEvent } from '../support/loop-world.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { attachTo } from '../support/vault-uploads.ts';

const posting = { method: 'POST', path: /\/agents\/[^/]+\/events$/ };
const claiming = { method: 'POST', path: /\/claim$/ };
const renewing = { method: 'POST', path: /\/claim\/renew$/ };
const streaming = { method: 'GET', path: /\/stream/ };

const troubles: [string, Fault[]][] = [
  ['429 with Retry-After', [{ ...posting, times: 2, how: vaultRefusal(429, 'rate_limited', 1) }]],
  ['503', [{ ...posting, times: 2, how: vaultRefusal(503, 'unavailable') }]],
  ['an answer that is none', [{ ...posting, times: 1, how: { status: 502, body: 'bad gateway' } }]],
  ['a lost answer', [{ ...posting, times: 2, how: 'lost' }]],
  ['409 on the answer', [{ ...posting, times: 1, how: vaultRefusal(409, 'conflict') }]],
  [
    'a claim that is lost, refused and busy',
    [
      { ...claiming, times: 1, how: 'lost' },
      { ...claiming, times: 1, how: vaultRefusal(503, 'unavailable') },
      { ...renewing, times: 1, how: vaultRefusal(409, 'conflict') },
    ],
  ],
  [
    'a stream that is refused and lost',
    [
      { ...streaming, times: 1, how: vaultRefusal(503, 'draining') },
      { ...streaming, times: 1, how: vaultRefusal(429, 'rate_limited', 1) },
    ],
  ],
];

async function answersIn(world: LoopWorld): Promise<[string, string][]> {
  return (await world.feed()).flatMap(
    ({ event_type: type, reply_to: to, content }: SeenEvent): [string, string][] =>
      type === 'assistant_message' ? [[to, content]] : [],
  );
}

test.each(troubles)('%s: one answer all the same', async (_name, faults) => {
  await using world = await startLoopWorld({ settings: { concurrency: 1 } });
  await using vault = await startFaultyService(world.vault.url);
  await world.startWatcher({ WATCHER_VAULT_URL: vault.url, WATCHER_LEASE_SECS: '3' });
  for (const fault of faults) vault.failNext(fault);
  const asked: [string, string][] = [];
  for (const content of ['first', 'second']) {
    asked.push([(await world.say(content)).event_id, content]);
  }
  for (const [eventId] of asked) await world.answerTo(eventId);
  expect(await answersIn(world)).toEqual(asked);
  // A stream is asked for again after the messages have come another way.
  await expect
    .poll(() => faults.map(({ times }) => times), { timeout: 60_000 })
    .toEqual(faults.map(() => 0));
  expect(await answersIn(world)).toEqual(asked);
  const runs = await world.gateway.admin('/admin/runs');
  expect(runs.body.items).toHaveLength(2);
});

test('an answer that it never takes ends as a sentence, and the next message is answered', async () => {
  await using world = await startLoopWorld();
  await using vault = await startFaultyService(world.vault.url);
  await world.startWatcher({ WATCHER_VAULT_URL: vault.url });
  vault.failNext({ ...posting, times: 1, how: vaultRefusal(400, 'invalid_request') });
  const refused = await world.say('what the vault does not like');
  const next = await world.say('what it likes');
  expect(await world.answerTo(refused.event_id)).toMatchObject({
    ...{ event_type: 'system', metadata: { outcome: 'answer_refused' } },
    content: expect.stringMatching(/^There is no answer: the vault does not take the answer/),
  });
  expect((await world.answerTo(next.event_id)).content).toBe('what it likes');
});

test('a key that the vault does not know is in the log, also when it never knew it', async () => {
  await using world = await startLoopWorld();
  const watcher = await world.startWatcher({ WATCHER_VAULT_KEY: 'cv_prod_of_another_vault' });
  const warnings = () => watcher.logged().filter(({ level }) => level === 'warn');
  await expect.poll(warnings, { timeout: 20_000 }).toContainEqual(
    expect.objectContaining({
      msg: 'the vault does not answer',
      err: expect.objectContaining({ code: 'unauthorized' }),
    }),
  );
});

test('a file that is gone ends as a sentence, and the next message is answered', async () => {
  await using world = await startLoopWorld();
  await using vault = await startFaultyService(world.vault.url);
  const id = await attachTo(world.vault, world.admin.token, world.agentId, 'the apple is red');
  vault.failNext({
    ...{ method: 'GET', path: /\/attachments\//, times: 1, how: vaultRefusal(404, 'not_found') },
  });
  await world.startWatcher({ WATCHER_VAULT_URL: vault.url });
  const lost = await world.say('what is in it?', { attachments: [id] });
  const next = await world.say('and this?');
  expect(await world.answerTo(lost.event_id)).toMatchObject({
    ...{ event_type: 'system', metadata: { outcome: 'attachment_lost' } },
  });
  expect((await world.answerTo(next.event_id)).content).toBe('and this?');
});

describe.each(vaultDatabases)('a vault on %s that is away for longer than a lease', (kind) => {
  test('in the middle of a run: what was under way and what was written at its return are answered, in order', async () => {
    await using world = await startLoopWorld({ kind });
    await using vault = await startFaultyService(world.vault.url);
    const env = { WATCHER_VAULT_URL: vault.url, WATCHER_LEASE_SECS: '3', WATCHER_POLL_SECS: '0.3' };
    const watcher = await world.startWatcher(env);
    const held = await world.say(`held\n${waitForGo}`);
    await untilHeld(world.runsDir, 1);
    vault.goAway();
    await expect.poll(() => watcher.watcher.health().vault).toBe('away');
    letGo(world.runsDir);
    const claim = async (): Promise<string> =>
      (await world.vault.call(world.admin.token, `/events/${held.event_id}`)).body.data.claim.state;
    await expect.poll(claim).toBe('expired');
    const meanwhile: SeenEvent[] = [];
    for (const content of ['one', 'two', 'three']) meanwhile.push(await world.say(content));
    vault.comeBack();
    for (const { event_id: id } of [held, ...meanwhile]) await world.answerTo(id);
    expect((await answersIn(world)).map(([eventId]) => eventId)).toEqual(
      [held, ...meanwhile].map(({ event_id: id }) => id),
    );
    const runs = await world.gateway.admin('/admin/runs');
    expect(runs.body.items).toHaveLength(4);
    await expect.poll(() => watcher.watcher.health().vault, { timeout: 60_000 }).toBe('stream');
  });
});
