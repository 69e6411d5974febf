import { expect, test } from 'vitest';

import { createDoorWorld } from './door-world.ts';
import type { DoorWorld } from './door-world.ts';

type Item = { seq: number; action: string; app: string };

async function actionsAt(world: DoorWorld, query: string): Promise<string[]> {
  const answer = await world.admin(`/admin/audit${query}`);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body.items.map(({ action, app }: Item) => `${action} ${app}`);
}

async function createAuditedWorld(): Promise<DoorWorld> {
  const world = await createDoorWorld({ allowCidrs: ['10.0.0.0/8'] });
  await world.mint({ name: 'a', ip_cidrs: ['10.0.0.1'], expires_in_secs: 60 });
  world.time.ms += 3_600_000;
  await world.mint({ name: 'b' });
  world.time.ms += 3_600_000;
  await world.admin('/admin/tokens/a/rotate', { method: 'POST', from: '10.0.0.9' });
  await world.admin('/admin/tokens/b', { method: 'DELETE' });
  return world;
}

test('every change of an admin is a row, newest first', async () => {
  await using world = await createAuditedWorld();
  const { items, next } = (await world.admin('/admin/audit')).body;
  expect(next).toBeNull();
  expect(items).toMatchObject([
    { seq: 4, action: 'token.revoked', app: 'b', address: '127.0.0.1', details: {} },
    { seq: 3, action: 'token.rotated', app: 'a', address: '10.0.0.9' },
    { seq: 2, action: 'token.created', app: 'b' },
    { seq: 1, action: 'token.created', app: 'a', at: '2026-01-01T00:00:00.000Z' },
  ]);
  expect(items[1].details).toEqual({ overlap_secs: 3600, expires_at: '2026-01-01T02:01:00.000Z' });
  expect(items[3]).toEqual({
    seq: 1,
    at: '2026-01-01T00:00:00.000Z',
    action: 'token.created',
    app: 'a',
    address: '127.0.0.1',
    outcome: null,
    run_id: null,
    prompt: null,
    prompt_chars: null,
    prompt_truncated: false,
    details: {
      ip_cidrs: ['10.0.0.1'],
      models: null,
      max_concurrent: null,
      timeout_secs_max: null,
      max_queued: null,
      workspaces: [],
      expires_at: '2026-01-01T00:01:00.000Z',
    },
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
});

test('what was refused or only looked at is no row', async () => {
  await using world = await createDoorWorld();
  await world.admin('/admin/tokens');
  await world.admin('/admin/tokens/unknown', { method: 'DELETE' });
  await world.admin('/admin/tokens', { method: 'POST', body: { name: 'BAD' } });
  await world.call('/admin/tokens');
  expect(await actionsAt(world, '')).toEqual([]);
});

test('a change whose row cannot be written does not happen', async () => {
  await using world = await createDoorWorld();
  world.db.exec(
    "create temp trigger no_audit before insert on audit_log begin select raise(abort, 'no'); end",
  );
  const body = { name: 'app' };
  expect((await world.admin('/admin/tokens', { method: 'POST', body })).status).toBe(500);
  expect((await world.admin('/admin/tokens')).body.items).toEqual([]);
});

test.each([
  ['?app=a', ['token.rotated a', 'token.created a']],
  ['?action=token.created', ['token.created b', 'token.created a']],
  ['?action=token.created&app=b', ['token.created b']],
  ['?outcome=completed', []],
  ['?since=2026-01-01T02:00:00Z', ['token.revoked b', 'token.rotated a']],
  ['?since=2026-01-01T03:00:00%2B01:00', ['token.revoked b', 'token.rotated a']],
  ['?until=2026-01-01T01:00:00.000Z', ['token.created a']],
  ['?since=2026-01-01T00:30Z&until=2026-01-01T01:30Z', ['token.created b']],
  ['?since=2026-01-02', []],
  ['?app=nobody', []],
])('%s filters', async (query, expected) => {
  await using world = await createAuditedWorld();
  expect(await actionsAt(world, query)).toEqual(expected);
});

test('pages follow each other without gap or repeat', async () => {
  await using world = await createAuditedWorld();
  const seen: number[] = [];
  let after = '';
  for (;;) {
    const { items, next } = (await world.admin(`/admin/audit?limit=3${after}`)).body;
    seen.push(...items.map(({ seq }: Item) => seq));
    if (next === null) break;
    after = `&after=${next}`;
  }
  expect(seen).toEqual([4, 3, 2, 1]);
});

test.each([
  ['limit=0', 'limit'],
  ['limit=201', 'limit'],
  ['after=x', 'after'],
  ['since=yesterday', 'since'],
  ['until=2026-13-01', 'until'],
  ['until=2026-01-01T00:00:00', 'until'],
  ['since=1', 'since'],
  ['other=1', 'other'],
])('?%s is a 400 that names %s', async (query, field) => {
  await using world = await createDoorWorld();
  const answer = await world.admin(`/admin/audit?${query}`);
  expect(answer.status).toBe(400);
  expect(answer.body.error.details).toEqual({ field });
});
