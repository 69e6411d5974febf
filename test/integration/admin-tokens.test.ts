import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createDoorWorld } from './door-world.ts';
import type { Answer, DoorWorld } from './door-world.ts';

function mint(world: DoorWorld, body: unknown): Promise<Answer> {
  return world.admin('/admin/tokens', { method: 'POST', body });
}

function rotate(world: DoorWorld, name: string, body?: unknown): Promise<Answer> {
  return world.admin(`/admin/tokens/${name}/rotate`, { method: 'POST', body });
}

function revoke(world: DoorWorld, name: string): Promise<Answer> {
  return world.admin(`/admin/tokens/${name}`, { method: 'DELETE' });
}

async function statusOf(world: DoorWorld, token: string): Promise<number> {
  return (await world.call('/whoami', { token })).status;
}

describe('POST /admin/tokens', () => {
  test('answers with a token that works', async () => {
    await using world = await createDoorWorld();
    const answer = await mint(world, { name: 'n8n', ip_cidrs: ['127.0.0.0/8'] });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      name: 'n8n',
      token: expect.stringMatching(/^cf_[A-Za-z0-9_-]{48}$/),
      ip_cidrs: ['127.0.0.0/8'],
      created_at: '2026-01-01T00:00:00.000Z',
      expires_at: null,
    });
    expect(await statusOf(world, answer.body.token)).toBe(200);
  });

  test('the plaintext is shown once: neither list, log nor any file has it', async () => {
    await using world = await createDoorWorld();
    const token = await world.mint();
    await statusOf(world, token);
    await revoke(world, 'app');
    const list = (await world.admin('/admin/tokens')).text;
    const audit = (await world.admin('/admin/audit')).text;
    const files = readdirSync(world.dir).map((name) =>
      readFileSync(join(world.dir, name), 'latin1'),
    );
    expect([list, audit, ...world.lines, ...files].join()).not.toContain(token.slice(3));
    const rows = world.db.prepare('select digest from app_tokens').all();
    expect(rows).toEqual([{ digest: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
  });

  test('a name is taken until it is revoked', async () => {
    await using world = await createDoorWorld();
    const first = await world.mint();
    const taken = await mint(world, { name: 'app' });
    expect(taken.status).toBe(409);
    expect(taken.body.error.code).toBe('conflict');
    await revoke(world, 'app');
    const second = await world.mint();
    expect(await statusOf(world, first)).toBe(401);
    expect(await statusOf(world, second)).toBe(200);
  });

  test('an app ends when its lifetime is over', async () => {
    await using world = await createDoorWorld();
    const answer = await mint(world, { name: 'app', expires_in_secs: 60 });
    expect(answer.body.expires_at).toBe('2026-01-01T00:01:00.000Z');
    world.time.ms += 59_999;
    expect(await statusOf(world, answer.body.token)).toBe(200);
    world.time.ms += 1;
    expect(await statusOf(world, answer.body.token)).toBe(401);
  });

  test.each(['.', '..', '-', '__proto__', 'constructor', 'a'.repeat(64)])(
    'the name %s is as good as any',
    async (name) => {
      await using world = await createDoorWorld();
      expect((await mint(world, { name })).body.name).toBe(name);
    },
  );

  test.each([
    [{}, 'name'],
    [{ name: '' }, 'name'],
    [{ name: 'App' }, 'name'],
    [{ name: 'a b' }, 'name'],
    [{ name: 'a\n' }, 'name'],
    [{ name: 'a'.repeat(65) }, 'name'],
    [{ name: 1 }, 'name'],
    [{ name: 'a', other: 1 }, 'other'],
    [{ name: 'a', ip_cidrs: '10.0.0.1' }, 'ip_cidrs'],
    [{ name: 'a', ip_cidrs: ['10.0.0.1', '10.0.0.0/ 24'] }, 'ip_cidrs.1'],
    [{ name: 'a', ip_cidrs: ['10.0.0.0/0x18'] }, 'ip_cidrs.0'],
    [{ name: 'a', ip_cidrs: ['fe80::1%eth0'] }, 'ip_cidrs.0'],
    [{ name: 'a', ip_cidrs: Array.from({ length: 101 }, () => '10.0.0.1') }, 'ip_cidrs'],
    [{ name: 'a', models: ['sonnet', 'gpt'] }, 'models.1'],
    [{ name: 'a', models: ['*'] }, 'models.0'],
    [{ name: 'a', models: ['sonnet*'] }, 'models.0'],
    [{ name: 'a', models: ['claude-x y'] }, 'models.0'],
    [{ name: 'a', models: [] }, 'models'],
    [{ name: 'a', workspaces: ['notes', 'gone'] }, 'workspaces.1'],
    [{ name: 'a', workspaces: ['notes', 'notes'] }, 'workspaces'],
    [{ name: 'a', workspaces: 'notes' }, 'workspaces'],
    [{ name: 'a', max_concurrent: 0 }, 'max_concurrent'],
    [{ name: 'a', max_concurrent: 1001 }, 'max_concurrent'],
    [{ name: 'a', max_concurrent: '1' }, 'max_concurrent'],
    [{ name: 'a', timeout_secs_max: 0 }, 'timeout_secs_max'],
    [{ name: 'a', timeout_secs_max: 3601 }, 'timeout_secs_max'],
    [{ name: 'a', timeout_secs_max: 1.5 }, 'timeout_secs_max'],
    [{ name: 'a', expires_in_secs: 59 }, 'expires_in_secs'],
    [{ name: 'a', expires_in_secs: 315_360_001 }, 'expires_in_secs'],
    [{ name: 'a', expires_in_secs: null }, 'expires_in_secs'],
  ])('%j is a 400 that names %s', async (body, field) => {
    await using world = await createDoorWorld();
    const answer = await mint(world, body);
    expect(answer.status).toBe(400);
    expect(answer.body.error.code).toBe('invalid_request');
    expect(answer.body.error.details.field).toBe(field);
    expect((await world.admin('/admin/tokens')).body.items).toEqual([]);
  });

  test('a wrong entry is quoted', async () => {
    await using world = await createDoorWorld();
    const answer = await mint(world, { name: 'a', ip_cidrs: ['10.0.0.0/33'] });
    expect(answer.body.error.details).toEqual({ field: 'ip_cidrs.0', value: '10.0.0.0/33' });
    expect(answer.body.error.message).toContain('"10.0.0.0/33"');
  });

  test('models are names or narrower patterns of what the gateway allows', async () => {
    await using world = await createDoorWorld();
    const models = ['sonnet', 'claude-opus-*', 'claude-*', 'claude-opus-4-5'];
    expect((await mint(world, { name: 'a', models })).status).toBe(201);
  });
});

describe('the workspaces of an app', () => {
  test('are none until they are granted, can be taken away, and are audited', async () => {
    await using world = await createDoorWorld();
    const change = (body: unknown) => world.admin('/admin/tokens/app', { method: 'PATCH', body });
    await mint(world, { name: 'app' });
    expect((await change({ workspaces: ['notes', 'site'] })).body).toMatchObject({
      workspaces: ['notes', 'site'],
    });
    expect((await change({ max_queued: 3 })).body).toMatchObject({ workspaces: ['notes', 'site'] });
    expect((await change({ workspaces: null })).body).toMatchObject({ workspaces: [] });
    expect((await mint(world, { name: 'none', workspaces: null })).status).toBe(201);
    await mint(world, { name: 'other', workspaces: ['site'] });
    const { items } = (await world.admin('/admin/tokens')).body;
    expect(items.map((item: { workspaces: string[] }) => item.workspaces)).toEqual([
      ['site'],
      [],
      [],
    ]);
    const rows = (await world.admin('/admin/audit?app=app&action=token.changed')).body.items;
    expect(rows.at(-1)).toMatchObject({
      details: { before: { workspaces: [] }, after: { workspaces: ['notes', 'site'] } },
    });
    expect(rows[0]).toMatchObject({ details: { after: { workspaces: [] } } });
  });
});

describe('GET /admin/tokens', () => {
  test('lists live apps, newest first, page by page', async () => {
    await using world = await createDoorWorld();
    for (const name of ['a', 'b', 'c', 'd']) await world.mint({ name });
    await revoke(world, 'b');
    const first = (await world.admin('/admin/tokens?limit=2')).body;
    expect(first.items.map(({ name }: { name: string }) => name)).toEqual(['d', 'c']);
    const second = (await world.admin(`/admin/tokens?limit=2&after=${first.next}`)).body;
    expect(second.items.map(({ name }: { name: string }) => name)).toEqual(['a']);
    expect(second.next).toBeNull();
    expect((await world.admin('/admin/tokens?limit=3')).body.next).toBeNull();
  });

  test('shows all there is to know but the token', async () => {
    await using world = await createDoorWorld();
    await world.mint({ models: ['sonnet'], expires_in_secs: 60 });
    expect((await world.admin('/admin/tokens')).body).toEqual({
      items: [
        {
          name: 'app',
          ip_cidrs: [],
          models: ['sonnet'],
          max_concurrent: null,
          timeout_secs_max: null,
          max_queued: null,
          workspaces: [],
          created_at: '2026-01-01T00:00:00.000Z',
          expires_at: '2026-01-01T00:01:00.000Z',
          last_used_at: null,
          last_used_ip: null,
        },
      ],
      next: null,
    });
  });

  test.each(['limit=0', 'limit=201', 'limit=x', 'after=x', 'after=', 'other=1', 'limit=1&limit=2'])(
    '?%s is a 400',
    async (query) => {
      await using world = await createDoorWorld();
      expect((await world.admin(`/admin/tokens?${query}`)).status).toBe(400);
    },
  );
});

describe('DELETE /admin/tokens/<name>', () => {
  test('ends every token of the app at once', async () => {
    await using world = await createDoorWorld();
    const first = await world.mint();
    const second = (await rotate(world, 'app')).body.token;
    const answer = await revoke(world, 'app');
    expect(answer.status).toBe(204);
    expect(answer.text).toBe('');
    expect([await statusOf(world, first), await statusOf(world, second)]).toEqual([401, 401]);
  });

  test.each(['unknown', 'UPPER', 'a%2Fb', '%F0%9F%92%A9'])('%s is a 404', async (name) => {
    await using world = await createDoorWorld();
    expect((await revoke(world, name)).status).toBe(404);
  });

  test('a revoked app is unknown', async () => {
    await using world = await createDoorWorld();
    await world.mint();
    await revoke(world, 'app');
    expect((await revoke(world, 'app')).status).toBe(404);
    expect((await rotate(world, 'app')).status).toBe(404);
  });
});
