// kill -9 at every point of a message's way: one answer, none twice, none missing, one run unless the first was never heard of.
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import type { CheckpointName } from '../../watcher/checkpoint.ts';
import { startLoopWorld } from '../support/loop-world.ts';
import type { LoopWorld, SeenEvent } from '../support/loop-world.ts';

/** Half of what a watcher takes to start is reading its source. */
const compileCache = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-cache-'));
afterAll(() => compileCache.remove());

const points: CheckpointName[] = [
  ...(['fetched', 'event_stored', 'cursor_moved', 'claimed', 'run_started', 'run_ended'] as const),
  ...(['answer_stored', 'posting_marked', 'post_sent', 'post_acked', 'posted'] as const),
];

const messages = ['one', 'two', 'three'];

async function answers(world: LoopWorld): Promise<[string, string][]> {
  const feed = await world.feed();
  const asked = new Map<string, string>(
    feed.map((event: SeenEvent) => [event.event_id, event.content]),
  );
  return feed.flatMap(
    ({ event_type: type, reply_to: to, content }: SeenEvent): [string, string][] =>
      type === 'assistant_message' ? [[asked.get(to) ?? '', content]] : [],
  );
}

describe.each(points)('a watcher that is killed at %s', (name) => {
  test('at its first, second and third pass leaves no message without its one answer', async () => {
    await using world = await startLoopWorld({ settings: { session: 'none', concurrency: 1 } });
    for (const content of messages) await world.say(content);
    const env = { NODE_COMPILE_CACHE: compileCache.path, WATCHER_LEASE_SECS: '3' };
    // The first start begins without a cursor: it fetches and moves once before there is a message.
    const ends: (string | null)[] = [];
    for (const pass of [1, 2, 3]) {
      await using killed = world.spawnWatcher({ ...env, FAIL_AT: `${name}:${pass}` });
      const over = Promise.withResolvers<'over'>();
      const done = setInterval(() => {
        answers(world).then(
          (all) => all.length >= messages.length && over.resolve('over'),
          () => {},
        );
      }, 200);
      ends.push(await Promise.race([killed.exited, over.promise]));
      clearInterval(done);
    }
    expect(ends[0]).toBe('SIGKILL');
    for (const end of ends) expect(['SIGKILL', 'over']).toContain(end);
    world.spawnWatcher(env);
    await expect.poll(async () => (await answers(world)).length).toBe(messages.length);
    const { body } = await world.gateway.admin('/admin/runs?limit=100');
    const runs = body.items.map(({ metadata }: { metadata: { event: string } }) => metadata.event);
    expect(await answers(world)).toEqual(messages.map((content) => [content, content]));
    expect(new Set(runs).size).toBe(runs.length);
    expect(runs).toHaveLength(messages.length);
    // Nobody is left thinking.
    const claims = (await world.feed()).flatMap(({ event_type: type, reply_to: to }: SeenEvent) =>
      type === 'claim_taken' ? [to] : [],
    );
    for (const eventId of new Set(claims)) {
      const { body: event } = await world.vault.call(world.admin.token, `/events/${eventId}`);
      expect(event.data.claim.state).toBe('answered');
    }
  });
});
