import { request as httpRequest } from 'node:http';
import type { RequestOptions } from 'node:http';
import { connect } from 'node:net';

import { describe, expect, test } from 'vitest';

import { addressForms, forwardingHeaders } from '../support/door-forms.ts';
import { adminToken, createDoorWorld } from './door-world.ts';
import type { DoorWorld } from './door-world.ts';

describe('AA-05: with ALLOW_CIDRS=192.168.1.0/24', () => {
  test.each(addressForms)('a peer with the address %s gets %i', async (from, status) => {
    await using world = await createDoorWorld({ allowCidrs: ['192.168.1.0/24'] });
    expect((await world.call('/open', { from })).status).toBe(status);
  });

  test.each([...addressForms, ['::1', 403], ['127.0.0.1', 403]] as const)(
    'a client for whom a trusted proxy forwards as %s gets %i',
    async (address, status) => {
      await using world = await createDoorWorld({
        allowCidrs: ['192.168.1.0/24'],
        trustedProxies: ['10.0.0.2'],
      });
      const headers = { 'x-forwarded-for': address };
      expect((await world.call('/open', { from: '10.0.0.2', headers })).status).toBe(status);
    },
  );
});

test.each(['127.0.0.1', '127.3.2.1', '::1', '::ffff:127.0.0.1'])(
  'without ALLOW_CIDRS only this machine gets in: %s does',
  async (from) => {
    await using world = await createDoorWorld();
    expect((await world.call('/open', { from })).status).toBe(200);
    expect((await world.call('/open', { from: '192.168.1.5' })).status).toBe(403);
  },
);

test('a foreign address is refused before the token is looked at', async () => {
  await using world = await createDoorWorld();
  const token = await world.mint();
  for (const url of ['/whoami', '/whoami?token=x', '/admin/tokens', '/nothing']) {
    for (const presented of [token, adminToken, 'wrong']) {
      const answer = await world.call(url, { token: presented, from: '10.0.0.1' });
      expect(answer.status).toBe(403);
      expect(answer.body.error.code).toBe('forbidden');
    }
  }
  expect(new Set(world.refusals().map(({ reason }) => reason))).toEqual(new Set(['address']));
});

test.each(forwardingHeaders)(
  'AA-04: %s does not help a foreign address, nor harm a right one',
  async (name) => {
    await using world = await createDoorWorld();
    const headers = { [name]: '127.0.0.1' };
    expect((await world.call('/open', { from: '10.0.0.1', headers })).status).toBe(403);
    const foreign = { [name]: '10.0.0.1' };
    expect((await world.call('/open', { headers: foreign })).status).toBe(200);
  },
);

test('an untrusted X-Forwarded-For is warned of once', async () => {
  await using world = await createDoorWorld();
  const headers = { 'x-forwarded-for': '10.0.0.1' };
  await world.call('/open', { headers });
  await world.call('/open', { headers });
  const warnings = world.lines.filter((line) => line.includes('x-forwarded-for of an untrusted'));
  expect(warnings).toHaveLength(1);
});

test('behind a trusted proxy the app and the log see the client', async () => {
  await using world = await createDoorWorld({
    allowCidrs: ['192.168.1.0/24'],
    trustedProxies: ['127.0.0.1'],
  });
  const token = await world.mint();
  const headers = { 'x-forwarded-for': '6.6.6.6, 192.168.1.5' };
  expect((await world.call('/whoami', { token, headers })).body.address).toBe('192.168.1.5');
  const foreign = { 'x-forwarded-for': '192.168.1.5, 6.6.6.6' };
  expect((await world.call('/whoami', { token, headers: foreign })).status).toBe(403);
  expect(world.refusals()).toMatchObject([{ address: '6.6.6.6', reason: 'address' }]);
});

async function statusOf(world: DoorWorld, headers: Record<string, string>): Promise<number> {
  const options: RequestOptions = { host: '127.0.0.1', port: portOf(world), path: '/open' };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  httpRequest({ ...options, headers, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .on('error', reject)
    .end();
  return promise;
}

function portOf(world: DoorWorld): number {
  const address = world.app.server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address.port;
}

describe('NC-10: over a real socket', () => {
  test('a foreign Host is 421 and a foreign Origin 403', async () => {
    await using world = await createDoorWorld({ allowedHosts: ['claude.lan'] });
    await world.app.listen({ host: '127.0.0.1', port: 0 });
    expect(await statusOf(world, {})).toBe(200);
    expect(await statusOf(world, { host: 'localhost:1' })).toBe(200);
    expect(await statusOf(world, { host: 'claude.lan' })).toBe(200);
    expect(await statusOf(world, { host: 'evil.example' })).toBe(421);
    expect(await statusOf(world, { host: '10.0.0.1' })).toBe(421);
    expect(await statusOf(world, { origin: 'http://claude.lan' })).toBe(200);
    expect(await statusOf(world, { origin: 'http://evil.example' })).toBe(403);
    expect(await statusOf(world, { origin: 'null' })).toBe(403);
    expect(world.refusals().map(({ reason }) => reason)).toEqual([
      'host',
      'host',
      'origin',
      'origin',
    ]);
  });

  test('a server on every address answers to the one that was connected to', async () => {
    await using world = await createDoorWorld({ listenHost: '0.0.0.0' });
    await world.app.listen({ host: '127.0.0.1', port: 0 });
    expect(await statusOf(world, { host: `127.0.0.1:${portOf(world)}` })).toBe(200);
    expect(await statusOf(world, { host: 'evil.example' })).toBe(421);
  });

  test('two Host headers, none, and a target of another host are refused', async () => {
    await using world = await createDoorWorld();
    await world.app.listen({ host: '127.0.0.1', port: 0 });
    const answerTo = async (head: string, target = '/open') => {
      const socket = connect(portOf(world), '127.0.0.1');
      socket.end(`GET ${target} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`);
      const chunks: Buffer[] = [];
      for await (const chunk of socket) chunks.push(chunk);
      return Buffer.concat(chunks).toString();
    };
    expect(await answerTo('Host: localhost\r\nHost: evil.example\r\n')).toMatch(/^HTTP\/1.1 421/);
    expect(await answerTo('')).toMatch(/^HTTP\/1.1 400/);
    expect(await answerTo('Host: localhost\r\n')).toMatch(/^HTTP\/1.1 200/);
    const foreign = 'http://evil.example/open';
    expect(await answerTo('Host: localhost\r\n', foreign)).toMatch(/^HTTP\/1.1 421/);
    const own = 'http://localhost/open';
    expect(await answerTo('Host: localhost\r\n', own)).not.toMatch(/^HTTP\/1.1 421/);
  });
});
