// Who answers a message: one of many, until they are done or too slow.
import { describe, expect, test } from 'vitest';

import { createSteppingClock } from '../support/stepping-clock.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

async function asked(world: TestVault) {
  const admin = await world.person('admin');
  const agent = await world.agent(admin.token);
  const event = await world.post(admin.token, agent, { event_type: 'user_message', content: '?' });
  const claim = (token: string, body: object = {}) =>
    world.call(token, `/events/${event.event_id}/claim`, { body });
  return { admin, agent, event, claim };
}

async function types(world: TestVault, token: string, agent: string): Promise<string[]> {
  const { body } = await world.call(token, `/agents/${agent}/events?order=asc`);
  return body.data.map((event: { event_type: string }) => event.event_type);
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('one of many gets it; the answer under its fence ends it, once however often it is sent', async () => {
    await using world = await startTestVault(kind);
    const { admin, agent, event, claim } = await asked(world);
    const keys = await Promise.all(Array.from({ length: 8 }, () => world.key(admin.userId)));
    const tries = await Promise.all(keys.map(({ token }) => claim(token)));
    const won = tries.findIndex(({ status }) => status === 201);
    expect(tries.filter(({ status }) => status === 409)).toHaveLength(7);
    const [winner, loser] = [keys[won]?.token ?? '', keys[(won + 1) % 8]?.token ?? ''];
    const { fence, holder } = tries[won]?.body.data ?? {};
    expect([fence, holder.id]).toEqual([1, keys[won]?.keyId]);
    expect(tries[(won + 1) % 8]?.body.error.details).toMatchObject({ state: 'held', holder });

    const answer = (token: string, more: object) =>
      world.call(token, `/agents/${agent}/events`, {
        body: { event_type: 'assistant_message', content: '!', reply_to: event.event_id, ...more },
        headers: { 'idempotency-key': 'the answer' },
      });
    expect((await answer(loser, {})).status).toBe(409);
    expect((await answer(loser, { fence: 2 })).status).toBe(409);
    const [first, second] = [await answer(winner, { fence }), await answer(winner, { fence })];
    expect([first.status, second.status, second.text]).toEqual([201, 201, first.text]);
    expect(await claim(loser)).toMatchObject({
      status: 409,
      body: { error: { details: { state: 'answered' } } },
    });
    const late = { event_type: 'assistant_delta', content: '…', reply_to: event.event_id, fence };
    expect((await world.call(winner, `/agents/${agent}/events`, { body: late })).status).toBe(409);
    expect(await types(world, admin.token, agent)).toEqual([
      'agent_created',
      'user_message',
      'claim_taken',
      'assistant_message',
    ]);
  });

  test('is renewed and given back by its fence only, and taken anew with a higher one', async () => {
    await using world = await startTestVault(kind);
    const { admin, agent, event, claim } = await asked(world);
    const act = (what: string, body: object) =>
      world.call(admin.token, `/events/${event.event_id}/claim/${what}`, { body });
    expect((await act('renew', { fence: 1 })).status).toBe(409);
    await claim(admin.token, { lease_secs: 30 });
    const renewed = await act('renew', { fence: 1, lease_secs: 600 });
    expect(renewed.status).toBe(200);
    expect(Date.parse(renewed.body.data.lease_expires_at)).toBeGreaterThan(Date.now() + 500_000);
    expect((await act('release', { fence: 2 })).status).toBe(409);
    expect((await act('release', { fence: 1 })).body.data.state).toBe('released');
    expect((await act('release', { fence: 1 })).status).toBe(409);
    expect((await claim(admin.token)).body.data).toMatchObject({ fence: 2, state: 'held' });
    const stale = await act('renew', { fence: 1 });
    expect(stale.body.error).toMatchObject({ code: 'conflict', details: { current_fence: 2 } });
    expect(await types(world, admin.token, agent)).toEqual([
      ...['agent_created', 'user_message'],
      ...['claim_taken', 'claim_renewed', 'claim_released', 'claim_taken'],
    ]);
  });

  test('a lease that is over is told, and whoever was too slow is refused', async () => {
    await using world = await startTestVault(kind);
    const { admin, agent, event, claim } = await asked(world);
    await claim(admin.token, { lease_secs: 1 });
    await expect.poll(() => types(world, admin.token, agent)).toContain('claim_expired');
    const late = {
      event_type: 'assistant_message',
      content: '!',
      reply_to: event.event_id,
      fence: 1,
    };
    expect((await world.call(admin.token, `/agents/${agent}/events`, { body: late })).status).toBe(
      409,
    );
    expect((await claim(admin.token)).body.data.fence).toBe(2);
    const read = await world.call(admin.token, `/events/${event.event_id}`);
    expect(read.body.data.claim).toMatchObject({ fence: 2, state: 'held' });
  });

  test('setting the clock neither ends a lease nor keeps it', async () => {
    const clock = createSteppingClock();
    await using world = await startTestVault(kind, { clock });
    const { admin, agent, claim } = await asked(world);
    await claim(admin.token, { lease_secs: 3 });
    clock.step(600_000);
    expect((await claim(admin.token)).status).toBe(409);
    clock.step(-1_200_000);
    await expect.poll(() => types(world, admin.token, agent)).toContain('claim_expired');
    expect((await claim(admin.token)).status).toBe(201);
  });

  test('only messages of people are claimed, and a key only for its agents', async () => {
    await using world = await startTestVault(kind);
    const { admin, agent, event, claim } = await asked(world);
    const note = await world.post(admin.token, agent, { event_type: 'system', content: 'note' });
    expect(
      (await world.call(admin.token, `/events/${note.event_id}/claim`, { body: {} })).status,
    ).toBe(400);
    const other = await world.agent(admin.token);
    const bound = await world.key(admin.userId, { agents: [other] });
    expect((await claim(bound.token)).status).toBe(404);
    expect((await world.call(bound.token, `/events/${event.event_id}`)).status).toBe(404);
    expect((await world.call(bound.token, `/agents/${agent}/events`)).status).toBe(404);
    const listed = await world.call(bound.token, '/agents');
    expect(listed.body.data.map(({ agent_id: id }: { agent_id: string }) => id)).toEqual([other]);
    const viewer = await world.person('viewer');
    expect((await claim(viewer.token)).status).toBe(403);
    const unknown = `/events/evt_${'0'.repeat(26)}/claim`;
    expect((await world.call(admin.token, unknown, { body: {} })).status).toBe(404);
  });

  test('whoever may only write ends no claim, though its fence is there to read', async () => {
    await using world = await startTestVault(kind);
    const { admin, agent, event, claim } = await asked(world);
    const answerer = await world.key(admin.userId);
    const writer = await world.key(admin.userId, { scopes: ['events:read', 'events:write'] });
    const post = async ({ token }: { token: string }, more: object) => {
      const body = { event_type: 'system', content: '.', reply_to: event.event_id, ...more };
      return (await world.call(token, `/agents/${agent}/events`, { body })).status;
    };
    const { fence } = (await claim(answerer.token)).body.data;
    expect([
      await post(writer, { ends_claim: true, fence }),
      await post(writer, { ends_claim: true }),
      await post(writer, { event_type: 'user_message', ends_claim: true, fence }),
      await post(writer, { fence }),
      await post(writer, {}),
    ]).toEqual([403, 403, 403, 403, 201]);
    const read = await world.call(admin.token, `/events/${event.event_id}`);
    expect(read.body.data.claim).toMatchObject({ fence, state: 'held' });
    expect(await post(answerer, { ends_claim: true, fence })).toBe(201);
  });

  test('a claim outlives a restart with what is left of its lease', async () => {
    await using first = await startTestVault(kind, { keep: true });
    const { admin, claim, event } = await asked(first);
    await claim(admin.token, { lease_secs: 2 });
    await first.close();
    await using world = await startTestVault(kind, {
      dataDir: first.dataDir,
      database: first.database,
    });
    const read = async () => (await world.call(admin.token, `/events/${event.event_id}`)).body.data;
    expect(await read()).toMatchObject({ claim: { state: 'held' } });
    await expect.poll(read).toMatchObject({ claim: { state: 'expired' } });
    await world.close();
    await first.database[Symbol.asyncDispose]();
  });
});
