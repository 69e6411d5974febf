// Who may read the metrics: the admin, and an address that is named for it.
import { describe, expect, test } from 'vitest';

import { createDoorWorld } from './door-world.ts';
import type { Call, DoorWorld } from './door-world.ts';

const reader = '10.0.0.9';
const stranger = '10.0.0.8';

const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } });

async function statusOf(world: DoorWorld, call: Call, url = '/metrics'): Promise<number> {
  return (await world.call(url, call)).status;
}

describe('the metrics', () => {
  test('are for the admin token, not for the token of an app, a wrong one or none', async () => {
    await using world = await createDoorWorld();
    const token = await world.mint();
    expect((await world.admin('/metrics')).status).toBe(200);
    expect(await statusOf(world, { token })).toBe(403);
    expect(await statusOf(world, { token: 'wrong' })).toBe(401);
    expect(await statusOf(world, {})).toBe(401);
    expect(world.refusals().map(({ reason }) => reason)).toEqual([
      'app_token',
      'wrong_token',
      'no_token',
    ]);
  });

  test('are for an address of METRICS_CIDRS without a token, also one that may not connect', async () => {
    await using world = await createDoorWorld({ metricsCidrs: [`${reader}/32`, '::1'] });
    expect(await statusOf(world, { from: reader })).toBe(200);
    expect(await statusOf(world, { from: `::ffff:${reader}` })).toBe(200);
    expect(await statusOf(world, { from: '::1' })).toBe(200);
    expect(await statusOf(world, { from: reader, method: 'HEAD' })).toBe(200);
    // This machine may connect, which is not to say that it may read them.
    expect(await statusOf(world, { from: '127.0.0.1' })).toBe(401);
    expect(await statusOf(world, { from: stranger })).toBe(403);
  });

  test('are not for an address that may connect and is not named', async () => {
    await using world = await createDoorWorld({
      allowCidrs: ['10.0.0.0/24'],
      metricsCidrs: [reader],
    });
    expect(await statusOf(world, { from: stranger })).toBe(401);
    expect(await statusOf(world, { from: reader })).toBe(200);
  });
});

describe('an address of METRICS_CIDRS', () => {
  test('gets to nothing else, whatever it presents', async () => {
    await using world = await createDoorWorld({ metricsCidrs: [reader] });
    const token = await world.mint();
    for (const url of ['/open', '/whoami', '/admin/tokens', '/metrics/', '/nothing']) {
      expect(await statusOf(world, { from: reader, token }, url)).toBe(403);
    }
    for (const method of ['POST', 'OPTIONS', 'DELETE'] as const) {
      expect(await statusOf(world, { from: reader, method })).toBe(403);
    }
    expect(new Set(world.refusals().map(({ reason }) => reason))).toEqual(new Set(['address']));
  });

  test('has to name us right all the same', async () => {
    await using world = await createDoorWorld({ metricsCidrs: [reader] });
    const from = reader;
    expect(await statusOf(world, { from, headers: { host: 'evil.example' } })).toBe(421);
    expect(await statusOf(world, { from, headers: { origin: 'http://evil.example' } })).toBe(403);
    expect(await statusOf(world, { from }, '/metrics?token=x')).toBe(400);
    expect(world.refusals().map(({ reason }) => reason)).toEqual([
      'host',
      'origin',
      'token_in_url',
    ]);
  });

  test('is told behind a trusted proxy by what the proxy says, and never by what another says', async () => {
    await using world = await createDoorWorld({
      metricsCidrs: [reader, '127.0.0.1'],
      trustedProxies: ['10.0.0.2'],
    });
    expect(await statusOf(world, { from: '10.0.0.2', ...forwarded(reader) })).toBe(200);
    expect(await statusOf(world, { from: stranger, ...forwarded(reader) })).toBe(403);
    // What a remote proxy calls its loopback is not this machine.
    expect(await statusOf(world, { from: '10.0.0.2', ...forwarded('127.0.0.1') })).toBe(403);
    expect(await statusOf(world, { from: '127.0.0.1' })).toBe(200);
  });
});
