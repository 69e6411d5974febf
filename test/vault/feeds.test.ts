// The feed of an agent as its writers and readers see it.
import { describe, expect, test } from 'vitest';

import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { VaultAnswer } from '../support/vault-world.ts';

const message = (content: string) => ({ event_type: 'user_message', content });

function contents({ body }: VaultAnswer): string[] {
  return body.data.map(({ content }: { content: string }) => content);
}

/** The numbers from one to another, as the contents of messages. */
function names(from: number, to: number): string[] {
  const step = from < to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => String(from + step * index));
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('what is posted has its author and its source, whatever it says of itself', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('agent', 'ada');
    const key = await world.key(ada.userId);
    const agent = await world.agent(ada.token);
    const said = { ...message('Guten Tag, שלום 👋'), metadata: { source: 'vault', mood: 'good' } };
    const byPage = await world.post(ada.token, agent, said);
    expect(byPage).toMatchObject({
      ...{
        agent_id: agent,
        event_type: 'user_message',
        content: 'Guten Tag, שלום 👋',
        reply_to: null,
      },
      metadata: { source: 'dashboard', mood: 'good' },
      author: { kind: 'user', id: ada.userId, name: 'ada' },
    });
    const byKey = await world.post(key.token, agent, said);
    expect(byKey).toMatchObject({
      metadata: { source: 'api' },
      author: { kind: 'key', id: key.keyId },
    });
    expect(byKey.seq).toBe(byPage.seq + 1);
    const read = await world.call(ada.token, `/events/${byPage.event_id}`);
    expect(read.body.data).toEqual({ ...byPage, claim: null });
  });

  test('known types and unknown ones are kept, those of the vault itself are not taken', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agent = await world.agent(token);
    const { event_id: question } = await world.post(token, agent, message('?'));
    for (const type of [
      'assistant_message',
      'assistant_delta',
      'tool_call',
      'system',
      'cancel_request',
      'mood.changed',
    ]) {
      const event = await world.post(token, agent, {
        event_type: type,
        content: type,
        reply_to: question,
      });
      expect(event.event_type).toBe(type);
    }
    const refused = async (event: Record<string, unknown>) => {
      const { status, body } = await world.call(token, `/agents/${agent}/events`, { body: event });
      return [status, body.error.details?.field];
    };
    expect(await refused({ event_type: 'claim_taken', content: '' })).toEqual([400, 'event_type']);
    for (const type of ['server.shutdown', 'read.moved', 'people.changed'])
      expect(await refused({ event_type: type, content: '' })).toEqual([400, 'event_type']);
    expect(await refused({ event_type: 'Not A Type', content: '' })).toEqual([400, 'event_type']);
    expect(await refused({ event_type: 'user_message', content: ' \n' })).toEqual([400, 'content']);
    expect(await refused({ ...message('x'), surprise: 1 })).toEqual([400, 'surprise']);
    expect(await refused({ event_type: 'assistant_delta', content: 'x' })).toEqual([
      400,
      'reply_to',
    ]);
    const elsewhere = await world.post(token, await world.agent(token), message('elsewhere'));
    expect(await refused({ ...message('x'), reply_to: elsewhere.event_id })).toEqual([
      404,
      'reply_to',
    ]);
    const big = { big: 'x'.repeat(20_000) };
    expect(await refused({ ...message('x'), metadata: big })).toEqual([400, 'metadata']);
  });

  test('pieces of an answer are there until the answer is, and the numbers go on', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agent = await world.agent(token);
    const { event_id: question, seq } = await world.post(token, agent, message('?'));
    for (const piece of ['one ', 'two ']) {
      await world.post(token, agent, {
        event_type: 'assistant_delta',
        content: piece,
        reply_to: question,
      });
    }
    const before = await world.call(token, `/agents/${agent}/events?since=${seq}`);
    expect(contents(before)).toEqual(['one ', 'two ']);
    await world.post(token, agent, {
      event_type: 'assistant_message',
      content: 'one two',
      reply_to: question,
    });
    const after = await world.call(token, `/agents/${agent}/events?since=${seq}`);
    expect(contents(after)).toEqual(['one two']);
    expect(after.body.data[0].seq).toBe(seq + 3);
  });

  test('is read from a number, from a time, by type, in either order, page by page', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agent = await world.agent(token);
    const posted = [];
    for (let count = 1; count <= 25; count += 1) {
      posted.push(await world.post(token, agent, message(String(count))));
    }
    await world.post(token, agent, { event_type: 'system', content: 'note' });
    const read = (query: string) => world.call(token, `/agents/${agent}/events?${query}`);
    expect(contents(await read('type=user_message&limit=5'))).toEqual(names(25, 21));
    expect(contents(await read('type=system,tool_call'))).toEqual(['note']);
    const since = `since=${posted[9].seq}&type=user_message&limit=7`;
    const first = await read(since);
    expect(contents(first)).toEqual(names(11, 17));
    const second = await read(`${since}&after=${first.body.next}`);
    expect(contents(second)).toEqual(names(18, 24));
    const third = await read(`${since}&after=${second.body.next}`);
    expect([contents(third), third.body.next]).toEqual([['25'], null]);
    const older = await read(`order=desc&type=user_message&limit=3&after=${posted[5].seq}`);
    expect(contents(older)).toEqual(['5', '4', '3']);
    const fromThen = `since_time=${encodeURIComponent(posted[20].created_at)}&type=user_message&limit=200`;
    expect(contents(await read(fromThen))).toContain('25');
    expect(contents(await read('since=99999999'))).toEqual([]);
    for (const wrong of [
      'since=-1',
      'since=x',
      'limit=0',
      'limit=201',
      'order=up',
      'since_time=tomorrow',
      'nothing=1',
    ]) {
      expect([wrong, (await read(wrong)).status]).toEqual([wrong, 400]);
    }
  });

  test('an event that is sent again under its key is there once, and can be asked for by it', async () => {
    await using world = await startTestVault(kind);
    const { token, userId } = await world.person('admin');
    const { token: key } = await world.key(userId);
    const agent = await world.agent(token);
    const send = (content: string, as = token) =>
      world.call(as, `/agents/${agent}/events`, {
        body: message(content),
        headers: { 'idempotency-key': 'answer-1' },
      });
    const answers = await Promise.all([send('once'), send('once'), send('once'), send('once')]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(
      answers.filter(({ headers }) => headers.get('idempotent-replayed') === 'true'),
    ).toHaveLength(3);
    expect(await send('another')).toMatchObject({
      status: 422,
      body: { error: { code: 'idempotency_mismatch' } },
    });
    // Another author's key is another one.
    expect((await send('of the key', key)).body.data.content).toBe('of the key');
    const back = await world.call(token, `/agents/${agent}/events?idempotency_key=answer-1`);
    expect(contents(back)).toEqual(['once']);
    const none = await world.call(token, `/agents/${agent}/events?idempotency_key=answer-2`);
    expect(none.body).toEqual({ success: true, data: [], next: null });
    const rows = await world.vault.audit.list(world.vault.database.reads, {
      ...{ action: 'event.posted', before: 1000, limit: 100 },
    });
    expect(rows.items).toHaveLength(2);
  });

  test('everyone has a read mark, which never goes back', async () => {
    await using world = await startTestVault(kind);
    const [ada, bob] = [await world.person('admin'), await world.person('viewer')];
    const agent = await world.agent(ada.token);
    const first = await world.post(ada.token, agent, message('one'));
    const second = await world.post(ada.token, agent, message('two'));
    const unread = async (token: string) => (await world.call(token, `/agents/${agent}`)).body.data;
    expect(await unread(bob.token)).toMatchObject({
      unread: 2,
      read_seq: null,
      last_seq: second.seq,
    });
    expect(await unread(ada.token)).toMatchObject({ unread: 0 });
    const mark = (seq: number) =>
      world.call(bob.token, `/agents/${agent}/read`, { method: 'PUT', body: { seq } });
    expect((await mark(first.seq)).body.data.seq).toBe(first.seq);
    expect(await unread(bob.token)).toMatchObject({ unread: 1, read_seq: first.seq });
    expect((await mark(second.seq)).body.data.seq).toBe(second.seq);
    expect((await mark(first.seq)).body.data.seq).toBe(second.seq);
    expect(await unread(bob.token)).toMatchObject({ unread: 0 });
  });
});
