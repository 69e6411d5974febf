// Feeds as they grow: from the store, without a gap, after any pause.
import { describe, expect, test } from 'vitest';

import { createVaultConnection } from '#shared/vault-connection.ts';
import { streamEvents } from '#shared/vault-event-stream.ts';

import { readEvents } from '../support/event-reader.ts';
import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';
import type { TestVault } from '../support/vault-world.ts';

const message = (content: string) => ({ event_type: 'user_message', content });

function follow(world: TestVault, token: string, path: string, after?: number) {
  const headers: Record<string, string> =
    after === undefined ? {} : { 'last-event-id': String(after) };
  return readEvents(`${world.url}/api/v1${path}`, token, { headers });
}

describe.each(vaultDatabases)('on %s', (kind) => {
  test('a reader sees what comes, and after a pause what it has missed', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const [agent, other] = [await world.agent(token), await world.agent(token)];
    await world.post(token, agent, message('before'));
    await using live = await follow(world, token, `/agents/${agent}/stream`);
    expect(live.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(live.response.headers.get('x-accel-buffering')).toBe('no');
    await using all = await follow(world, token, '/stream');
    const first = await world.post(token, agent, message('one'));
    const elsewhere = await world.post(token, other, message('elsewhere'));
    const seen = await live.until('user_message');
    expect(seen).toEqual({ id: first.seq, type: 'user_message', data: first });
    live.close();
    const rest = [];
    for (const content of ['two', 'three', 'four'])
      rest.push(await world.post(token, agent, message(content)));
    await using back = await follow(world, token, `/agents/${agent}/stream`, first.seq);
    await expect.poll(() => back.events.map(({ data }) => data)).toEqual(rest);
    const everything = [first, elsewhere, ...rest].map(({ seq }) => seq);
    await expect.poll(() => all.events.map(({ id }) => id)).toEqual(everything);
  });

  test('begins where it is told to, and refuses a place that is not there', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agent = await world.agent(token);
    for (let count = 0; count < 120; count += 1)
      await world.post(token, agent, message(String(count)));
    await using reader = await follow(world, token, `/agents/${agent}/stream?since=0`);
    await expect.poll(() => reader.events.length).toBe(121);
    expect(reader.events.slice(1).map(({ data }) => data.content)).toEqual(
      Array.from({ length: 120 }, (_, index) => String(index)),
    );
    const refused = async (id: string) =>
      (await world.call(token, `/agents/${agent}/stream`, { headers: { 'last-event-id': id } }))
        .status;
    expect(await refused('99999')).toBe(410);
    expect(await refused('x')).toBe(400);
    expect((await world.call(token, `/agents/agent_${'0'.repeat(26)}/stream`)).status).toBe(404);
    expect((await world.call(null, '/stream')).status).toBe(401);
  });

  test('a key reads the feeds it is for, and nobody reads on who may not any more', async () => {
    await using world = await startTestVault(kind);
    const admin = await world.person('admin');
    const [agent, other] = [await world.agent(admin.token), await world.agent(admin.token)];
    const bound = await world.key(admin.userId, { agents: [agent] });
    await using reader = await follow(world, bound.token, '/stream');
    await world.post(admin.token, other, message('not for it'));
    const event = await world.post(admin.token, agent, message('for it'));
    expect((await reader.until('user_message')).id).toBe(event.seq);
    expect((await world.call(bound.token, `/agents/${other}/stream`)).status).toBe(404);
    await world.vault.database.write(async ({ db }) => {
      await db.updateTable('users').set({ disabledAt: '2026-01-01T00:00:00.000Z' }).execute();
    });
    await world.vault.identitiesChanged();
    await reader.ended;
    expect(reader.events).toHaveLength(1);
  });

  test('what one has read is told to oneself, where it is asked for, and to nobody else', async () => {
    await using world = await startTestVault(kind);
    const [ada, bob] = [await world.person('admin'), await world.person('viewer')];
    const agent = await world.agent(ada.token);
    const { seq } = await world.post(ada.token, agent, message('one'));
    const wanted = '/stream?notices=true';
    await using here = await follow(world, ada.token, wanted);
    await using there = await follow(world, ada.token, wanted);
    await using plain = await follow(world, ada.token, '/stream');
    await using other = await follow(world, bob.token, wanted);
    const readUpTo = async (token: string, read: number) =>
      (
        await world.call(token, `/agents/${agent}/read`, {
          method: 'PUT',
          body: { seq: read },
        })
      ).status;
    expect(await readUpTo(ada.token, seq)).toBe(200);
    const notice = { id: null, type: 'read.moved', data: { agent_id: agent, seq } };
    for (const reader of [here, there]) {
      await reader.until('read.moved');
      expect(reader.events).toEqual([notice]);
    }
    here.close();
    // Never back, and those who have left are not written to.
    expect(await readUpTo(ada.token, seq - 1)).toBe(200);
    await expect.poll(() => there.events).toEqual([notice, notice]);
    await world.post(ada.token, agent, message('two'));
    for (const reader of [plain, other]) {
      await reader.until('user_message');
      expect(reader.types()).toEqual(['user_message']);
    }
  });

  test('whoever asks is told that users, keys or invitations changed, once it has happened', async () => {
    await using world = await startTestVault(kind);
    const ada = await world.person('admin');
    await using told = await follow(world, ada.token, '/stream?notices=true');
    await using plain = await follow(world, ada.token, '/stream');
    const made = await world.call(ada.token, '/invitations', { body: { role: 'viewer' } });
    expect(made.status).toBe(201);
    await told.until('people.changed');
    expect(told.events).toEqual([{ id: null, type: 'people.changed', data: {} }]);
    // What is refused is no news.
    expect((await world.call(ada.token, '/invitations', { body: { role: 'x' } })).status).toBe(400);
    const login = { name: 'nobody', password: 'a long password of mine' };
    expect((await world.call(null, '/auth/login', { body: login })).status).toBe(401);
    const { invitation_id: id } = made.body.data;
    await world.call(ada.token, `/invitations/${id}`, { method: 'DELETE' });
    await expect.poll(() => told.types()).toEqual(['people.changed', 'people.changed']);
    expect(plain.types()).toEqual([]);
  });

  test('an event that calls itself a notice of the vault ends no stream', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const agent = await world.agent(token);
    // From a time in which they could be posted.
    for (const type of ['server.shutdown', 'read.moved', 'people.changed']) {
      const { event_id: id } = await world.post(token, agent, {
        event_type: 'note',
        content: type,
      });
      await world.vault.database.write(async ({ db }) => {
        await db.updateTable('events').set({ eventType: type }).where('eventId', '=', id).execute();
      });
    }
    await world.post(token, agent, message('after'));
    const connection = createVaultConnection({ url: world.url, token: () => token });
    const contents: string[] = [];
    for await (const { content, event_type: type } of streamEvents(connection, { after: 1 })) {
      contents.push(content);
      if (type === 'user_message') break;
    }
    expect(contents).toEqual(['server.shutdown', 'read.moved', 'people.changed', 'after']);
  });

  test('a vault that stops tells its readers', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    await using reader = await follow(world, token, '/stream');
    await world.close();
    await reader.ended;
    expect(reader.types()).toEqual(['server.shutdown']);
  });
});
