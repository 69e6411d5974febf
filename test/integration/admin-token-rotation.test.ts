import { describe, expect, test } from 'vitest';

import { createDoorWorld } from './door-world.ts';
import type { Answer, DoorWorld } from './door-world.ts';

function mint(world: DoorWorld, body: unknown): Promise<Answer> {
  return world.admin('/admin/tokens', { method: 'POST', body });
}

function rotate(world: DoorWorld, name: string, body?: unknown): Promise<Answer> {
  return world.admin(`/admin/tokens/${name}/rotate`, { method: 'POST', body });
}

async function statusOf(world: DoorWorld, token: string): Promise<number> {
  return (await world.call('/whoami', { token })).status;
}

describe('POST /admin/tokens/<name>/rotate', () => {
  test('both tokens work until the overlap is over', async () => {
    await using world = await createDoorWorld();
    const first = await world.mint({ ip_cidrs: ['127.0.0.1'] });
    world.time.ms += 1000;
    const answer = await rotate(world, 'app', { overlap_secs: 10 });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      name: 'app',
      token: expect.stringMatching(/^cf_/),
      ip_cidrs: ['127.0.0.1'],
      created_at: '2026-01-01T00:00:01.000Z',
      expires_at: null,
    });
    world.time.ms += 9999;
    expect([await statusOf(world, first), await statusOf(world, answer.body.token)]).toEqual([
      200, 200,
    ]);
    world.time.ms += 1;
    expect([await statusOf(world, first), await statusOf(world, answer.body.token)]).toEqual([
      401, 200,
    ]);
    const [item] = (await world.admin('/admin/tokens')).body.items;
    expect(item).toMatchObject({ expires_at: null, created_at: '2026-01-01T00:00:00.000Z' });
  });

  test.each([undefined, {}])('with the body %j the overlap is an hour', async (body) => {
    await using world = await createDoorWorld();
    const first = await world.mint();
    expect((await rotate(world, 'app', body)).status).toBe(201);
    world.time.ms += 3_599_999;
    expect(await statusOf(world, first)).toBe(200);
    world.time.ms += 1;
    expect(await statusOf(world, first)).toBe(401);
  });

  test('without overlap the earlier token ends at once', async () => {
    await using world = await createDoorWorld();
    const first = await world.mint();
    await rotate(world, 'app', { overlap_secs: 0 });
    expect(await statusOf(world, first)).toBe(401);
  });

  test("gives the app's lifetime again, and prolongs no earlier token", async () => {
    await using world = await createDoorWorld();
    const first = await world.mint({ expires_in_secs: 100 });
    world.time.ms += 50_000;
    const second = (await rotate(world, 'app', { overlap_secs: 3600 })).body;
    expect(second.expires_at).toBe('2026-01-01T00:02:30.000Z');
    expect((await world.admin('/admin/tokens')).body.items[0].expires_at).toBe(second.expires_at);
    world.time.ms += 50_000;
    expect([await statusOf(world, first), await statusOf(world, second.token)]).toEqual([401, 200]);
  });

  test('revives an app whose tokens have all expired', async () => {
    await using world = await createDoorWorld();
    await world.mint({ expires_in_secs: 60 });
    world.time.ms += 100_000;
    expect((await mint(world, { name: 'app' })).status).toBe(409);
    const answer = await rotate(world, 'app');
    expect(await statusOf(world, answer.body.token)).toBe(200);
  });

  test.each([
    { overlap_secs: -1 },
    { overlap_secs: 2_592_001 },
    { overlap_secs: '1' },
    { other: 1 },
  ])('%j is a 400', async (body) => {
    await using world = await createDoorWorld();
    await world.mint();
    expect((await rotate(world, 'app', body)).status).toBe(400);
  });

  test('an unknown name is a 404', async () => {
    await using world = await createDoorWorld();
    expect((await rotate(world, 'app')).status).toBe(404);
  });
});
