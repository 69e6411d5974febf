// What is kept for so many days only: events with their files and claims, and rows of the audit log.
import { describe, expect, test } from 'vitest';

import { isoTime, systemClock } from '#shared/clock.ts';

import { fillFeed } from '../support/many-events.ts';
import { createSteppingClock } from '../support/stepping-clock.ts';
import type { SteppingClock } from '../support/stepping-clock.ts';
import { readToEnd } from '../support/stream-reading.ts';
import { createTestDatabase, vaultDatabases } from '../support/vault-databases.ts';
import { verifyVaultAudit } from '../support/vault-tools.ts';
import { attachTo, fetchAttachment, storedFiles } from '../support/vault-uploads.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

const dayMs = 86_400_000;

/** Housekeeping, which has nothing to do for a minute, begins anew at once after a step. */
function createHouseClock(): SteppingClock {
  const clock = createSteppingClock();
  let steps = 0;
  let nextStep = Promise.withResolvers<void>();
  /** How many steps each of the sleepers has woken for; they sleep differently long. */
  const wokenFor = new Map<number, number>();
  return {
    ...clock,
    step(ms) {
      clock.step(ms);
      steps += 1;
      const step = nextStep;
      nextStep = Promise.withResolvers();
      step.resolve();
    },
    async sleep(ms, signal) {
      if (ms < 60_000) return systemClock.sleep(ms, signal);
      // One that was made while it worked wakes it as well.
      if ((wokenFor.get(ms) ?? 0) === steps) {
        const over = new AbortController();
        const both = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
        const slept = systemClock.sleep(ms, both);
        await Promise.race([slept, nextStep.promise]).finally(() => over.abort());
      }
      wokenFor.set(ms, steps);
    },
  };
}

const message = (content: string, more = {}) => ({ event_type: 'user_message', content, ...more });

async function contentsOf(world: TestVault, token: string, agentId: string): Promise<string[]> {
  const path = `/agents/${agentId}/events?order=asc&limit=200&type=user_message,system`;
  const { body } = await world.call(token, path);
  return body.data.map(({ content }: { content: string }) => content);
}

/** The numbers of what a stream brings that is resumed after one, up to the newest. */
async function resume(
  world: TestVault,
  token: string,
  after: number,
  newest: number,
): Promise<number[]> {
  const headers = { authorization: `Bearer ${token}`, 'last-event-id': String(after) };
  for (let waitMs = 200; ; waitMs *= 2) {
    const enough = new AbortController();
    const reading = readToEnd(`${world.url}/api/v1/stream`, { headers, signal: enough.signal });
    await systemClock.sleep(waitMs);
    enough.abort();
    const seqs = (await reading).events.map(({ id }) => id ?? 0);
    if (seqs.at(-1) === newest || waitMs > 5000) return seqs;
  }
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('old events go in pieces, their numbers are not given again, and a stream goes on with what is there', async () => {
    const clock = createHouseClock();
    await using database = await createTestDatabase(kind);
    const env = { EVENT_RETENTION_DAYS: '30' };
    const first = await startTestVault(kind, { clock, env, database, keep: true });
    const { dataDir } = first;
    const { userId } = await first.person('admin');
    const { token } = await first.key(userId);
    const agentId = await first.agent(token);
    const oldFile = await attachTo(first, token, agentId, 'old');
    const old = await first.post(token, agentId, message('old', { attachments: [oldFile] }));
    const claim = { body: { lease_secs: 1 } };
    expect((await first.call(token, `/events/${old.event_id}/claim`, claim)).status).toBe(201);
    await fillFeed(first, agentId, 5000, isoTime(clock.now()));
    clock.step(20 * dayMs);
    const youngFile = await attachTo(first, token, agentId, 'young');
    const young = await first.post(token, agentId, message('young', { attachments: [youngFile] }));

    const stop = new AbortController();
    const writing = (async () => {
      for (let count = 0; !stop.signal.aborted; count += 1) {
        await first.post(token, agentId, { event_type: 'note', content: String(count) });
      }
    })();
    clock.step(11 * dayMs);
    const events = first.vault.database.reads.selectFrom('events');
    const oldest = events.select('seq').orderBy('seq').limit(1);
    // The expiry of the claim is a young event as well, perhaps.
    await expect
      .poll(async () => (await oldest.executeTakeFirstOrThrow()).seq, { timeout: 90_000 })
      .toBeGreaterThan(old.seq + 5000);
    await expect.poll(() => storedFiles(first)).toEqual([youngFile]);
    stop.abort();
    await writing;
    expect(await contentsOf(first, token, agentId)).toEqual(['young']);
    expect((await fetchAttachment(first, token, youngFile)).status).toBe(200);
    expect((await first.call(token, `/events/${old.event_id}`)).status).toBe(404);
    await expect
      .poll(() => first.vault.database.reads.selectFrom('claims').select('eventId').execute())
      .toEqual([]);

    const posted = await first.post(token, agentId, message('newest'));
    const seen = await resume(first, token, 3, posted.seq);
    expect(seen).toEqual(expect.arrayContaining([young.seq, posted.seq]));
    expect(seen).toEqual([...new Set(seen)].toSorted((one, other) => one - other));
    const { body } = await first.call(token, `/agents/${agentId}/events?since=3&limit=1`);
    expect(body.data[0].seq).toBe(seen[0]);
    const exported = await first.call(token, `/agents/${agentId}/export`);
    expect(JSON.parse(exported.text.split('\n', 1)[0] ?? '').seq).toBe(body.data[0].seq);

    // All of them: there is no number left to count on from.
    clock.step(31 * dayMs);
    await expect.poll(() => events.select('seq').execute()).toEqual([]);
    const next = await first.post(token, agentId, message('next'));
    expect(next.seq).toBe(posted.seq + 1);
    clock.step(31 * dayMs);
    await expect.poll(() => events.select('seq').execute()).toEqual([]);
    await expect.poll(() => storedFiles(first)).toEqual([]);
    await first.close();

    await using second = await startTestVault(kind, { clock, env, database, dataDir });
    const afterStart = await second.post(token, agentId, message('after a start'));
    expect(afterStart.seq).toBe(posted.seq + 2);
    expect(await resume(second, token, 3, afterStart.seq)).toEqual([afterStart.seq]);
    expect((await second.call(token, `/agents/${agentId}`)).body.data.last_seq).toBe(
      afterStart.seq,
    );
    const errors = [...first.logged(), ...second.logged()].filter(
      ({ level }) => level === 'error' || level === 'fatal',
    );
    expect(errors).toEqual([]);
  });

  test('without a number of days everything stays, and a clock set back takes nothing away', async () => {
    const clock = createHouseClock();
    await using database = await createTestDatabase(kind);
    const first = await startTestVault(kind, { clock, database, keep: true });
    const { userId } = await first.person('admin');
    const { token } = await first.key(userId);
    const agentId = await first.agent(token);
    await first.post(token, agentId, message('kept'));
    clock.step(4000 * dayMs);
    await first.post(token, agentId, message('from the future'));
    expect(await contentsOf(first, token, agentId)).toEqual(['kept', 'from the future']);
    await first.close();
    const { dataDir } = first;
    const env = { EVENT_RETENTION_DAYS: '30' };
    clock.step(-4000 * dayMs);
    await using second = await startTestVault(kind, { clock, env, database, dataDir });
    await second.post(token, agentId, message('back again'));
    await systemClock.sleep(300);
    const contents = await contentsOf(second, token, agentId);
    expect(contents).toEqual(['kept', 'from the future', 'back again']);
  });

  test('old rows of the audit log go, and what is left can be verified from its anchor', async () => {
    const clock = createHouseClock();
    await using world = await startTestVault(kind, {
      clock,
      env: { VAULT_AUDIT_RETENTION_DAYS: '60' },
    });
    const { userId } = await world.person('admin');
    const { token } = await world.key(userId);
    const agentId = await world.agent(token);
    for (let count = 0; count < 20; count += 1) await world.post(token, agentId, message('old'));
    clock.step(50 * dayMs);
    await world.post(token, agentId, message('young'));
    const before = await world.call(token, '/auth/audit?limit=100');
    expect(before.body.data).toHaveLength(22);
    const young = before.body.data[0];
    clock.step(11 * dayMs);
    const rows = async () => (await world.call(token, '/auth/audit?limit=100')).body.data;
    await expect.poll(async () => (await rows()).length).toBe(2);
    const [anchor, oldest] = await rows();
    expect(oldest).toEqual(young);
    expect(anchor).toMatchObject({
      ...{ seq: 23, action: 'audit.pruned', actor: { kind: 'system' } },
      details: { pruned_to_seq: 21, pruned_to_hash: before.body.data[1].hash },
    });
    const { audit, database } = world.vault;
    expect(await audit.verify(database.reads)).toMatchObject({ ok: true, rows: 2, headSeq: 23 });
    expect(await verifyVaultAudit(world, '--expect', young.hash)).toMatchObject({ code: 0 });
    // Events are kept for ever here; and the numbers of rows go on.
    expect(await contentsOf(world, token, agentId)).toHaveLength(21);
    await world.post(token, agentId, message('next'));
    expect((await rows())[0].seq).toBe(24);

    await database.write(({ db }) => db.deleteFrom('auditLog').where('seq', '=', 22).execute());
    expect(await audit.verify(database.reads)).toMatchObject({ ok: false, brokenAtSeq: 23 });
  });
});
