// The wall clock is set while the vault works: nothing ends too early or never, and everything keeps its order.
import { describe, expect, test } from 'vitest';

import { readEvents } from '../support/event-reader.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

const hourMs = 3_600_000;

async function startWorld(kind: (typeof vaultDatabases)[number]) {
  const stepping = createSteppingClock();
  let skippedMs = 0;
  const clock = {
    ...stepping,
    monotonicMs: () => stepping.monotonicMs() + skippedMs,
    // What looks now and then looks often.
    sleep: (ms: number, signal?: AbortSignal) => stepping.sleep(Math.min(ms, 50), signal),
    /** Time goes by. */
    skip: (ms: number) => void (skippedMs += ms),
  };
  const world = await startTestVault(kind, { clock });
  const { userId, token: session } = await world.person('admin');
  const { token } = await world.key(userId);
  const agentId = await world.agent(token);
  return {
    ...{ world, clock, token, session, agentId },
    ask: (content: string) => world.post(token, agentId, { event_type: 'user_message', content }),
    [Symbol.asyncDispose]: world[Symbol.asyncDispose],
  };
}

const claim = (world: TestVault, token: string, eventId: string, leaseSecs: number) =>
  world.call(token, `/events/${eventId}/claim`, { body: { lease_secs: leaseSecs } });

const steps = vaultDatabases.flatMap((kind) => [
  { kind, change: 'an hour forward', stepMs: hourMs },
  { kind, change: 'an hour back', stepMs: -hourMs },
]);

describe.each(steps)('on $kind, when the clock is set $change', ({ kind, stepMs }) => {
  test('a lease neither ends early nor stays', async () => {
    await using stepped = await startWorld(kind);
    const { world, clock, token, agentId, ask } = stepped;
    const [long, short] = [await ask('long'), await ask('short')];
    const held = (await claim(world, token, long.event_id, 600)).body.data;
    await claim(world, token, short.event_id, 2);
    clock.step(stepMs);
    expect((await claim(world, token, long.event_id, 60)).status).toBe(409);
    const stateOf = async ({ event_id: id }: { event_id: string }): Promise<string> =>
      (await world.call(token, `/events/${id}`)).body.data.claim.state;
    await expect.poll(() => stateOf(short), { timeout: 5000 }).toBe('expired');
    expect((await claim(world, token, short.event_id, 60)).body.data.fence).toBe(2);
    expect(await stateOf(long)).toBe('held');
    const { event_id: replyTo } = long;
    const reply = { event_type: 'assistant_message', content: 'here', reply_to: replyTo };
    await world.post(token, agentId, { ...reply, fence: held.fence });
    expect(await stateOf(long)).toBe('answered');
  });

  test('keys stay good, and a session ends by the clock, not by when it began', async () => {
    await using stepped = await startWorld(kind);
    const { world, clock, token, session } = stepped;
    clock.step(stepMs);
    expect((await world.call(token, '/agents')).status).toBe(200);
    // Half an hour from when it was issued has passed, by the only clock that there is.
    expect((await world.call(session, '/agents')).status).toBe(stepMs > 0 ? 401 : 200);
    const renewed = await world.person('viewer');
    expect((await world.call(renewed.token, '/agents')).status).toBe(200);
  });

  test('feeds keep the order in which they were written, whatever the clock said', async () => {
    await using stepped = await startWorld(kind);
    const { world, clock, token, agentId, ask } = stepped;
    await using reader = await readEvents(`${world.url}/api/v1/stream?since=0`, token);
    const said = ['first', 'second', 'third', 'fourth'];
    for (const [index, content] of said.entries()) {
      await ask(content);
      clock.step(index % 2 === 0 ? stepMs : -2 * stepMs);
    }
    const path = `/agents/${agentId}/events?type=user_message`;
    const { data } = (await world.call(token, `${path}&since=0`)).body;
    expect(data.map(({ content }: { content: string }) => content)).toEqual(said);
    const times = data.map(({ created_at: at }: { created_at: string }) => at);
    expect(times).not.toEqual(times.toSorted());
    const seqs = data.map(({ seq }: { seq: number }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a: number, b: number) => a - b));
    const rest = (await world.call(token, `${path}&since=${seqs[1]}`)).body.data;
    expect(rest.map(({ content }: { content: string }) => content)).toEqual(said.slice(2));
    await expect.poll(() => reader.events.at(-1)?.data.content).toBe('fourth');
    expect(await world.vault.audit.verify(world.vault.database.reads)).toMatchObject({ ok: true });
  });

  test('an agent that has just reported is not taken for silent, and a silent one is found', async () => {
    await using stepped = await startWorld(kind);
    const { world, clock, token, agentId } = stepped;
    const path = `/agents/${agentId}`;
    const report = { method: 'PUT', body: { status: 'online' } };
    const statusNow = async () => (await world.call(token, path)).body.data.status;
    expect((await world.call(token, `${path}/status`, report)).status).toBe(200);
    clock.step(stepMs);
    for (let look = 0; look < 5; look += 1) {
      await clock.sleep(50);
      expect(await statusNow()).toBe('online');
    }
    clock.skip(61_000);
    await expect.poll(statusNow).toBe('offline');
  });

  test('an Idempotency-Key still gives its first answer', async () => {
    await using stepped = await startWorld(kind);
    const { world, clock, token, agentId } = stepped;
    const body = { event_type: 'user_message', content: 'once' };
    const request = { body, headers: { 'idempotency-key': 'k' } };
    const first = await world.call(token, `/agents/${agentId}/events`, request);
    const made = { body: { name: 'once' }, headers: { 'idempotency-key': 'k' } };
    const agent = await world.call(token, '/agents', made);
    clock.step(stepMs);
    const again = await world.call(token, `/agents/${agentId}/events`, request);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect((await world.call(token, '/agents', made)).text).toBe(agent.text);
  });
});
