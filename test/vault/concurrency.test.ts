// Many at once: numbers without a gap in what readers see, one winner for each claim, and no write by who was too slow.
import { describe, expect, test } from 'vitest';

import { readEvents } from '../support/event-reader.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { expectNothingLost } from '../support/vault-facts.ts';
import { expectEveryEvent } from '../support/vault-outage.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';
import { startWriters } from '../support/vault-writers.ts';

type Seen = { stop: () => Promise<number[]> };

/** Asks for what is new, again and again, a few at a time. */
function poll(world: TestVault, token: string, agentId: string): Seen {
  const seqs: number[] = [];
  const over = new AbortController();
  const askOnce = async (): Promise<number> => {
    const since = seqs.at(-1) ?? 0;
    const path = `/agents/${agentId}/events?since=${since}&limit=7`;
    const { data } = (await world.call(token, path)).body;
    seqs.push(...data.map(({ seq }: { seq: number }) => seq));
    return data.length;
  };
  const asking = (async () => {
    while (!over.signal.aborted) await askOnce();
    while ((await askOnce()) > 0);
  })();
  return {
    async stop() {
      over.abort();
      await asking;
      return seqs;
    },
  };
}

async function seqsOf({ vault }: TestVault, agentId: string): Promise<number[]> {
  const query = vault.database.reads.selectFrom('events').select('seq').orderBy('seq');
  return (await query.where('agentId', '=', agentId).execute()).map(({ seq }) => seq);
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('twenty writers: whoever polls and whoever watches sees each event once and in order', async () => {
    await using world = await startTestVault(kind);
    const { userId } = await world.person('admin');
    const { token } = await world.key(userId);
    const agentIds = [await world.agent(token), await world.agent(token), await world.agent(token)];
    const [agentId = ''] = agentIds;
    await using writers = startWriters({ url: () => world.url, token, agentIds, count: 20 });
    await using all = await readEvents(`${world.url}/api/v1/stream?since=0`, token);
    await using one = await readEvents(
      `${world.url}/api/v1/agents/${agentId}/stream?since=0`,
      token,
    );
    const polled = poll(world, token, agentId);
    await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(300);
    // It comes when there is much already.
    await using late = await readEvents(`${world.url}/api/v1/stream?since=0`, token);
    await expect.poll(() => writers.acknowledged.length).toBeGreaterThan(600);
    await writers.stop();
    expect(writers.refusals).toEqual([]);
    expect(await polled.stop()).toEqual(await seqsOf(world, agentId));
    await expectEveryEvent(world, all.events, null);
    await expectEveryEvent(world, late.events, null);
    await expectEveryEvent(world, one.events, [agentId]);
    await expectNothingLost(world.vault, writers.acknowledged);
  });

  test('two hundred events and twenty claimants at once: each has one winner', async () => {
    await using world = await startTestVault(kind);
    const { userId } = await world.person('admin');
    const { token } = await world.key(userId);
    const agentId = await world.agent(token);
    const ask = (content: string) =>
      world.post(token, agentId, { event_type: 'user_message', content });
    const events: { event_id: string }[] = await Promise.all(
      Array.from({ length: 200 }, (_, index) => ask(`event ${index}`)),
    );
    const claimants = await Promise.all(Array.from({ length: 20 }, () => world.key(userId)));
    const won = new Map<string, string[]>();
    const claimAll = async (claimant: { token: string; keyId: string }, offset: number) => {
      // Each begins elsewhere, and all want everything.
      const order = [...events.slice(offset), ...events.slice(0, offset)];
      for (const { event_id: id } of order) {
        const answer = await world.call(claimant.token, `/events/${id}/claim`, {
          body: { lease_secs: 600 },
        });
        expect([201, 409]).toContain(answer.status);
        if (answer.status === 201) won.set(id, [...(won.get(id) ?? []), claimant.keyId]);
      }
    };
    await Promise.all(claimants.map((claimant, index) => claimAll(claimant, index * 10)));
    expect([...won.values()].filter((winners) => winners.length !== 1)).toEqual([]);
    expect(won.size).toBe(200);
    const claims = await world.vault.database.reads.selectFrom('claims').selectAll().execute();
    expect(claims.filter(({ eventId, holderId }) => won.get(eventId)?.[0] !== holderId)).toEqual(
      [],
    );
    expect(new Set(claims.map(({ fence }) => fence))).toEqual(new Set([1]));
  });

  test('a holder who was too slow is refused once its lease is over, and the next one answers', async () => {
    await using world = await startTestVault(kind);
    const { userId } = await world.person('admin');
    const [slow, next] = [await world.key(userId), await world.key(userId)];
    const agentId = await world.agent(slow.token);
    await using reader = await readEvents(`${world.url}/api/v1/stream`, slow.token);
    const { event_id: id } = await world.post(slow.token, agentId, {
      event_type: 'user_message',
      content: 'who answers?',
    });
    const claim = ({ token }: { token: string }) =>
      world.call(token, `/events/${id}/claim`, { body: { lease_secs: 1 } });
    const reply = ({ token }: { token: string }, fence: number) =>
      world.call(token, `/agents/${agentId}/events`, {
        body: { event_type: 'assistant_message', content: 'me', reply_to: id, fence },
      });
    expect((await claim(slow)).body.data.fence).toBe(1);
    await reader.until('claim_expired');
    const stale = { status: 409, body: { error: { code: 'conflict' } } };
    expect(await reply(slow, 1)).toMatchObject(stale);
    expect((await claim(next)).body.data.fence).toBe(2);
    expect(await reply(slow, 1)).toMatchObject(stale);
    expect(
      await world.call(slow.token, `/events/${id}/claim/renew`, { body: { fence: 1 } }),
    ).toMatchObject(stale);
    expect((await reply(next, 2)).status).toBe(201);
    expect(await reply(next, 2)).toMatchObject(stale);
    // That its lease would be over by now is nobody's business any more.
    await expect.poll(() => reader.types()).toContain('assistant_message');
    expect(reader.types().filter((type) => type === 'claim_expired')).toHaveLength(1);
  });
});
