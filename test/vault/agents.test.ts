// Agents as the dashboard and the watcher see them.
import { describe, expect, test } from 'vitest';

import { vaultDatabases } from '../support/vault-databases.ts';
import { startTestVault } from '../support/vault-world.ts';

describe.each(vaultDatabases)('on %s', (kind) => {
  test('an agent is made, found, renamed, put away and brought back', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin', 'ada');
    const made = await world.call(token, '/agents', {
      body: { name: 'Librarian', labels: ['books'] },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      success: true,
      data: {
        name: 'Librarian',
        labels: ['books'],
        status: 'offline',
        version: 1,
        archived_at: null,
      },
    });
    expect(made.headers.get('etag')).toBe('"1"');
    const { agent_id: id } = made.body.data;
    expect(made.headers.get('location')).toBe(`/api/v1/agents/${id}`);

    const again = await world.call(token, '/agents', { body: { name: 'Librarian' } });
    expect(again).toMatchObject({
      status: 409,
      body: { success: false, error: { code: 'conflict' } },
    });

    const path = `/agents/${id}`;
    const patch = (version: string | null, body: unknown) =>
      world.call(token, path, {
        method: 'PATCH',
        body,
        headers: version === null ? {} : { 'if-match': version },
      });
    expect(await patch(null, { name: 'Reader' })).toMatchObject({
      status: 428,
      body: { error: { code: 'precondition_required' } },
    });
    expect(await patch('"7"', { name: 'Reader' })).toMatchObject({
      status: 412,
      body: { error: { code: 'precondition_failed', details: { current_version: 1 } } },
    });
    expect(await patch('nonsense', { name: 'Reader' })).toMatchObject({ status: 400 });
    expect(await patch('"1"', { name: 'Reader' })).toMatchObject({
      status: 200,
      body: { data: { name: 'Reader', version: 2 } },
    });

    const remove = { method: 'DELETE', headers: { 'if-match': '2' } };
    expect((await world.call(token, path, remove)).status).toBe(204);
    expect((await world.call(token, '/agents')).body.data).toEqual([]);
    expect((await world.call(token, '/agents?archived=true')).body.data).toMatchObject([
      { agent_id: id },
    ]);
    const post = { body: { event_type: 'user_message', content: 'hello' } };
    expect((await world.call(token, `${path}/events`, post)).status).toBe(409);
    const restore = { method: 'POST', headers: { 'if-match': '3' } };
    expect(await world.call(token, `${path}/restore`, restore)).toMatchObject({
      status: 200,
      body: { data: { archived_at: null, version: 4 } },
    });

    const { items } = await world.vault.audit
      .list(world.vault.database.reads, { before: 100, limit: 100 })
      .then((page) => page);
    expect(items.map(({ action }) => action)).toEqual([
      'agent.restored',
      'agent.archived',
      'agent.changed',
      'agent.created',
    ]);
    expect(await world.vault.audit.verify(world.vault.database.reads)).toMatchObject({
      ok: true,
      rows: 4,
    });
  });

  test('pages of agents have no gap and no double while others are made', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const ids: string[] = [];
    for (let count = 0; count < 20; count += 1) ids.push(await world.agent(token));
    const seen: string[] = [];
    let after = '';
    for (;;) {
      const { body } = await world.call(token, `/agents?limit=7${after}`);
      seen.push(...body.data.map(({ agent_id: id }: { agent_id: string }) => id));
      await world.agent(token);
      if (body.next === null) break;
      after = `&after=${body.next}`;
      if (seen.length > 60) break;
    }
    expect(seen.slice(0, 20)).toEqual(ids);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('the order is everybody’s, and two who change it at once do not lose one another’s', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const [a, b, c] = [
      await world.agent(token),
      await world.agent(token),
      await world.agent(token),
    ];
    const { headers } = await world.call(token, '/agents/order');
    const version = headers.get('etag') ?? '';
    const put = { method: 'PUT', body: { agent_ids: [c] }, headers: { 'if-match': version } };
    const ordered = await world.call(token, '/agents/order', put);
    expect(ordered.body.data.agent_ids).toEqual([c, a, b]);
    expect((await world.call(token, '/agents/order', put)).status).toBe(412);
    const { body } = await world.call((await world.person('viewer')).token, '/agents');
    expect(body.data.map(({ agent_id: id }: { agent_id: string }) => id)).toEqual([c, a, b]);
  });

  test('a status is told once, and whoever reports it is seen', async () => {
    await using world = await startTestVault(kind);
    const { token } = await world.person('admin');
    const id = await world.agent(token);
    const put = (status: string) =>
      world.call(token, `/agents/${id}/status`, { method: 'PUT', body: { status } });
    for (const status of ['online', 'online', 'working', 'working', 'error']) {
      expect(await put(status)).toMatchObject({ status: 200, body: { data: { status } } });
    }
    expect((await put('asleep')).status).toBe(400);
    const { body } = await world.call(token, `/agents/${id}/events?type=agent_status&order=asc`);
    const told = body.data.map(
      ({ metadata }: { metadata: { agent: { status: string } } }) => metadata.agent.status,
    );
    expect(told).toEqual(['online', 'working', 'error']);
  });
});
