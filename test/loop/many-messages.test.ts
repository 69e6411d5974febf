// Crowds of messages (WE-01, 02, 06, 08, 12, 13): each once, in order within a conversation, side by side beyond it.
import { mkdtempDisposableSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { startFaultyService, vaultRefusal } from '../support/faulty-service.ts';
import { projectDir } from '../support/gateway-environment.ts';
import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWorld, SeenEvent } from '../support/loop-world.ts';
import { vaultDatabases } from '../support/vault-databases.ts';

const quick = { CLAUDE_BIN: join(projectDir, 'test/support/quick-claude.sh'), PREPARED_RUNS: '0' };
const patience = { timeout: 150_000, interval: 300 };

/** All of them, oldest first. */
async function wholeFeed(world: LoopWorld): Promise<SeenEvent[]> {
  const events: SeenEvent[] = [];
  for (;;) {
    const since = events.at(-1)?.seq ?? 0;
    const query = `since=${since}&order=asc&limit=200`;
    const path = `/agents/${world.agentId}/events?${query}`;
    const { body } = await world.vault.call(world.admin.token, path);
    if (body.data.length === 0) return events;
    events.push(...body.data);
  }
}

/** What was answered, in the order of the answers. */
async function answered(world: LoopWorld): Promise<string[]> {
  return (await wholeFeed(world)).flatMap(({ event_type: type, content }: SeenEvent) =>
    type === 'assistant_message' ? [content] : [],
  );
}

async function sayAll(world: LoopWorld, contents: string[], thread?: string): Promise<void> {
  const more = thread === undefined ? {} : { metadata: { thread } };
  for (const content of contents) await world.say(content, more);
}

/** The quick CLI answers with the last line. */
const asLastLine = (content: string): string => `one of many\n${content}`;
const numbered = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);

test('twenty in one conversation are answered in order, three others meanwhile', async () => {
  await using world = await startLoopWorld({ settings: { session: 'thread', concurrency: 4 } });
  await world.startWatcher();
  const long = numbered(20, 'long');
  await sayAll(world, long.slice(0, 10), 'a');
  for (const other of ['b', 'c', 'd']) await sayAll(world, [other], other);
  await sayAll(world, long.slice(10), 'a');
  await expect.poll(async () => (await answered(world)).length, patience).toBe(23);
  const order = await answered(world);
  expect(order.filter((content) => content.startsWith('long'))).toEqual(long);
  for (const other of ['b', 'c', 'd']) {
    expect(order.indexOf(other)).toBeLessThan(order.indexOf('long 20'));
  }
});

describe.each(vaultDatabases)('two watchers on one vault on %s', (kind) => {
  test('answer each message once, and each has a part of them', async () => {
    const gatewayEnv = { ...quick, GATEWAY_CONCURRENCY: '4' };
    await using world = await startLoopWorld({
      ...{ kind, gatewayEnv, settings: { session: 'none', concurrency: 3 } },
    });
    const contents = numbered(kind === 'sqlite' ? 200 : 60, 'message');
    const [one, other] = [join(world.dataDir, 'one'), join(world.dataDir, 'other')];
    const watchers = [await world.startWatcher({}, one), await world.startWatcher({}, other)];
    await sayAll(world, contents.map(asLastLine));
    await expect
      .poll(async () => (await answered(world)).length, patience)
      .toBeGreaterThanOrEqual(contents.length);
    expect((await answered(world)).toSorted()).toEqual(contents.toSorted());
    const claims = (await wholeFeed(world)).filter(
      ({ event_type: type }: SeenEvent) => type === 'claim_taken',
    );
    expect(claims).toHaveLength(contents.length);
    for (const { watcher } of watchers) {
      await expect.poll(() => watcher.health().open_messages, patience).toBe(0);
      expect(watcher.health().dead_letters).toBe(0);
    }
  });
});

test('messages that were written while the vault could not be reached: all once, and never too many at a time', async () => {
  await using world = await startLoopWorld({
    ...{
      gatewayEnv: { ...quick, GATEWAY_CONCURRENCY: '6' },
      settings: { session: 'none', concurrency: 3 },
    },
  });
  await using vault = await startFaultyService(world.vault.url);
  const env = { WATCHER_VAULT_URL: vault.url, WATCHER_POLL_SECS: '0.3' };
  const watcher = await world.startWatcher(env);
  await expect.poll(() => watcher.watcher.health().vault).toBe('stream');
  vault.goAway();
  await expect.poll(() => watcher.watcher.health().vault).toBe('away');
  const contents = numbered(500, 'message');
  await sayAll(world, contents.map(asLastLine));
  vault.comeBack();
  let most = 0;
  await expect
    .poll(async () => {
      const { body } = await world.gateway.admin('/admin/runs?status=running');
      most = Math.max(most, body.items.length);
      return (await answered(world)).length;
    }, patience)
    .toBeGreaterThanOrEqual(contents.length);
  expect((await answered(world)).toSorted()).toEqual(contents.toSorted());
  expect(most).toBeLessThanOrEqual(3);
});

function idsIn(path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^<!-- (\S+) -->$/gm)].map(([, id = '']) => id);
}

describe('what needs no run', () => {
  test('by polling, by the stream, and changing between the two: each once, in order, over many pages', async () => {
    using inbox = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-inbox-'));
    await using world = await startLoopWorld({ settings: { inbox: inbox.path } });
    await using vault = await startFaultyService(world.vault.url);
    const { token } = await world.vault.key(world.admin.userId);
    const posted: string[] = [];
    const post = async (count: number): Promise<void> => {
      for (const content of numbered(count, 'note')) {
        const event = { event_type: 'user_message', content };
        posted.push((await world.vault.post(token, world.agentId, event)).event_id);
      }
    };
    await post(250);
    const path = join(inbox.path, '.claude-vault-inbox.md');
    const polling = { WATCHER_VAULT_URL: vault.url, WATCHER_POLL_SECS: '0.2' };
    {
      const watcher = await world.startWatcher({ ...polling, WATCHER_PUSH: 'false' });
      await expect.poll(() => idsIn(path).length, patience).toBe(250);
      await watcher.close();
    }
    const watcher = await world.startWatcher(polling);
    const streaming = { method: 'GET', path: /\/stream/, how: vaultRefusal(503, 'draining') };
    for (const turn of [1, 2, 3]) {
      await post(20);
      vault.failNext({ ...streaming, times: turn });
      vault.goAway();
      await post(20);
      vault.comeBack();
      await post(20);
    }
    await expect.poll(() => idsIn(path).length, patience).toBeGreaterThanOrEqual(posted.length);
    expect(idsIn(path)).toEqual(posted);
    await expect.poll(() => watcher.watcher.health().open_messages).toBe(0);
  });

  test('an agent that was made while it polled misses nothing', async () => {
    await using world = await startLoopWorld();
    await using vault = await startFaultyService(world.vault.url);
    await world.startWatcher({
      ...{ WATCHER_VAULT_URL: vault.url, WATCHER_PUSH: 'false', WATCHER_POLL_SECS: '0.2' },
      AGENTS_FILE: '',
    });
    await world.answerTo((await world.say('before')).event_id);
    const newAgent = await world.vault.agent(world.admin.token, 'Gardener');
    const first = await world.vault.post(world.admin.token, newAgent, {
      ...{ event_type: 'user_message', content: 'to the new one' },
    });
    await world.answerTo((await world.say('to the old one')).event_id);
    const answers = async (): Promise<string[]> => {
      const { body } = await world.vault.call(world.admin.token, `/agents/${newAgent}/events`);
      return body.data.flatMap(({ event_type: type, reply_to: to, content }: SeenEvent) =>
        type === 'assistant_message' && to === first.event_id ? [content] : [],
      );
    };
    await expect.poll(answers, patience).toEqual(['to the new one']);
  });
});

test('a first start with 10,000 old events answers what is written from then on, and says so', async () => {
  await using world = await startLoopWorld();
  const { database } = world.vault.vault;
  await world.say('an old one');
  await database.write(async ({ db }) => {
    const row = await db
      .selectFrom('events')
      .selectAll()
      .where('content', '=', 'an old one')
      .executeTakeFirstOrThrow();
    for (let from = 1; from <= 10_000; from += 500) {
      const rows = Array.from({ length: 500 }, (_, index) => ({
        ...{ ...row, seq: row.seq + from + index, idempotencyKey: null },
        eventId: `evt_old${String(from + index).padStart(23, '0')}`,
      }));
      await db.insertInto('events').values(rows).execute();
    }
    await db
      .updateTable('counters')
      .set({ value: row.seq + 10_000 })
      .where('name', '=', 'events')
      .execute();
  });
  const watcher = await world.startWatcher({ WATCHER_FIRST_START: 'now' });
  await expect.poll(() => watcher.watcher.health().vault).toBe('stream');
  const newestAnswers = async (): Promise<string[]> => {
    const path = `/agents/${world.agentId}/events?type=assistant_message&limit=50`;
    const { body } = await world.vault.call(world.admin.token, path);
    return body.data.map(({ content }: SeenEvent) => content);
  };
  await world.say('a new one');
  await expect.poll(newestAnswers, patience).toEqual(['a new one']);
  expect(watcher.logged()).toContainEqual(
    expect.objectContaining({ msg: expect.stringContaining('first start: messages before') }),
  );
  expect((await world.gateway.admin('/admin/runs')).body.items).toHaveLength(1);
  await watcher.close();

  // With all of them it takes each in, and begins with the oldest at once.
  const all = await world.startWatcher({ WATCHER_FIRST_START: 'all' }, join(world.dataDir, 'all'));
  await expect.poll(() => all.watcher.health().open_messages, patience).toBeGreaterThan(9000);
  await expect.poll(newestAnswers, patience).toContain('an old one');
});
