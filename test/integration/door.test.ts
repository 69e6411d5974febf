import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { createHttpServer } from '#shared/http-server.ts';
import { createLog } from '#shared/log.ts';

import { installDoor } from '../../gateway/access/door.ts';
import { mintToken } from '../../gateway/access/token.ts';
import { tokenParameters } from '../support/door-forms.ts';
import { adminToken, createDoorWorld } from './door-world.ts';

describe('AA-01: a token that is not right', () => {
  test('gets one answer, whatever is wrong with it', async () => {
    await using world = await createDoorWorld();
    const expired = await world.mint({ name: 'expired', expires_in_secs: 60 });
    const revoked = await world.mint({ name: 'revoked' });
    expect((await world.call('/whoami', { token: expired })).status).toBe(200);
    world.time.ms += 60_000;
    await world.admin('/admin/tokens/revoked', { method: 'DELETE' });

    const wrong = [
      expired,
      revoked,
      mintToken(),
      'garbage',
      `${revoked}x`,
      'cf_',
      'cf_é'.repeat(40),
      'ÿ'.repeat(100),
      'a\tb',
      'a, b',
      'x'.repeat(2 ** 20),
    ];
    const answers = [await world.call('/whoami'), await world.call('/admin/tokens')];
    for (const token of wrong) {
      answers.push(await world.call('/whoami', { token }));
      answers.push(await world.call('/admin/tokens', { token }));
    }
    const right = await world.mint();
    for (const authorization of [
      right,
      `Basic ${right}`,
      `Bearer${right}`,
      `Bearer x ${right}`,
      'Bearer',
    ]) {
      answers.push(await world.call('/whoami', { headers: { authorization } }));
    }
    for (const { status, headers, text } of answers) {
      expect(status).toBe(401);
      expect(headers['www-authenticate']).toBe('Bearer');
      expect(text).toBe(answers[0]?.text);
    }
  });

  test('is limited per address, while a right one never is and a missing one does not count', async () => {
    await using world = await createDoorWorld({ allowCidrs: ['10.0.0.0/8'] });
    const token = await world.mint();
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      expect((await world.call('/whoami', { from: '10.0.0.1' })).status).toBe(401);
    }
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      const answer = await world.call('/whoami', { token: 'wrong', from: '10.0.0.1' });
      expect(answer.status).toBe(attempt <= 30 ? 401 : 429);
      expect((await world.call('/whoami', { token, from: '10.0.0.1' })).status).toBe(200);
      const admin = await world.admin('/admin/tokens', { from: '10.0.0.1' });
      expect(admin.status).toBe(200);
    }
    const limited = await world.call('/whoami', { token: 'wrong', from: '10.0.0.1' });
    expect(limited.body.error).toMatchObject({ code: 'too_many_attempts', retryable: true });
    expect(limited.headers['retry-after']).toBe('60');
    expect((await world.call('/whoami', { token: 'wrong', from: '10.0.0.2' })).status).toBe(401);
    world.time.ms += 60_000;
    expect((await world.call('/whoami', { token: 'wrong', from: '10.0.0.1' })).status).toBe(401);
  });
});

test('the token of one side is forbidden on the other', async () => {
  await using world = await createDoorWorld();
  const token = await world.mint();
  for (const [url, presented] of [
    ['/admin/tokens', token],
    ['/admin/audit', token],
    ['/whoami', adminToken],
  ] as const) {
    const answer = await world.call(url, { token: presented });
    expect(answer.status).toBe(403);
    expect(answer.body.error.code).toBe('forbidden');
  }
});

test('an app knows itself on its routes', async () => {
  await using world = await createDoorWorld();
  const token = await world.mint({ models: ['sonnet'], max_concurrent: 2, timeout_secs_max: 9 });
  const answer = await world.call('/whoami', { headers: { authorization: `bearer  ${token} ` } });
  expect(answer.body).toEqual({
    appId: 1,
    name: 'app',
    models: ['sonnet'],
    maxConcurrent: 2,
    timeoutSecsMax: 9,
    maxQueued: null,
    workspaces: [],
    address: '127.0.0.1',
  });
});

test("an app's own CIDRs hold for it, for the loopback address too", async () => {
  await using world = await createDoorWorld({ allowCidrs: ['10.0.0.0/8'] });
  const token = await world.mint({ ip_cidrs: ['10.0.0.1', '::ffff:10.1.0.0/112'] });
  const statusFrom = async (from: string) => (await world.call('/whoami', { token, from })).status;
  expect(await statusFrom('10.0.0.1')).toBe(200);
  expect(await statusFrom('10.1.0.9')).toBe(200);
  expect(await statusFrom('10.0.0.2')).toBe(403);
  expect(await statusFrom('127.0.0.1')).toBe(403);
  expect(world.refusals().map(({ reason }) => reason)).toEqual([
    'address_of_app',
    'address_of_app',
  ]);
});

describe('AA-07: a token in a URL', () => {
  test.each(tokenParameters)('as the parameter %s is a 400 everywhere', async (name) => {
    await using world = await createDoorWorld();
    for (const url of ['/open', '/whoami', '/admin/tokens', '/nothing']) {
      const answer = await world.admin(`${url}?${name}=canary-value`);
      expect(answer.status).toBe(400);
      expect(answer.body.error.details).toEqual({ field: 'query' });
    }
    expect(world.lines.join()).not.toContain('canary-value');
  });

  test('is a 400 under any name, and in a Referer', async () => {
    await using world = await createDoorWorld();
    const token = await world.mint();
    const urls = [`/whoami?x=${token}`, `/whoami?${token}`, `/whoami?x=%63f_${token.slice(3)}`];
    for (const url of urls) expect((await world.call(url, { token })).status).toBe(400);
    const headers = { referer: `http://localhost/?token=${token}` };
    expect((await world.call('/whoami', { token, headers })).status).toBe(400);
    expect(world.lines.join()).not.toContain(token);
  });
});

test('no line of the log and no error body holds a token', async () => {
  await using world = await createDoorWorld();
  const token = await world.mint({ ip_cidrs: ['10.0.0.1'] });
  const texts = [
    await world.call('/whoami', { token }),
    await world.call('/admin/tokens', { token }),
    await world.call('/whoami', { token: `${token}canary` }),
    await world.call('/whoami', { token: adminToken }),
  ].map(({ text }) => text);
  expect(world.refusals()).toHaveLength(4);
  for (const secret of [token, adminToken, 'canary']) {
    expect([...texts, ...world.lines].join()).not.toContain(secret);
  }
});

test('a refusal is one line with its address and reason', async () => {
  await using world = await createDoorWorld();
  await world.call('/whoami', { from: '10.0.0.1' });
  await world.call('/whoami');
  await world.call('/nothing?token=x');
  expect(world.refusals()).toMatchObject([
    { address: '10.0.0.1', reason: 'address', code: 'forbidden', route: '/whoami' },
    { address: '127.0.0.1', reason: 'no_token', code: 'unauthorized', method: 'GET' },
    { address: '127.0.0.1', reason: 'token_in_url', code: 'invalid_request', route: null },
  ]);
});

test('HEAD, OPTIONS and unknown paths are guarded too', async () => {
  await using world = await createDoorWorld();
  expect((await world.call('/whoami', { method: 'HEAD' })).status).toBe(401);
  expect((await world.call('/whoami', { method: 'OPTIONS' })).status).toBe(405);
  expect((await world.call('/whoami', { method: 'OPTIONS', from: '10.0.0.1' })).status).toBe(403);
  expect((await world.call('/nothing')).status).toBe(404);
  expect((await world.call('/nothing', { from: '10.0.0.1' })).status).toBe(403);
});

test('a request without a right token is answered before its body is read', async () => {
  await using world = await createDoorWorld();
  const answer = await world.call('/whoami', {
    method: 'POST',
    headers: { 'content-type': 'x/y' },
  });
  expect(answer.status).toBe(401);
});

test('a route that declares no guard cannot be registered', async () => {
  const log = createLog({ level: 'silent', service: 'gateway' });
  const { app } = createHttpServer({
    log,
    errorEnvelope: { ok: false },
    bodyLimitBytes: 1000,
    requestTimeoutMs: 1000,
    newId: (prefix) => prefix,
  });
  installDoor(app, {
    listenHost: '127.0.0.1',
    allowCidrs: [],
    metricsCidrs: [],
    allowedHosts: [],
    trustedProxies: [],
    onRefused: () => {},
    apps: { find: () => null, maxConcurrentOf: () => null, forgetAll: () => {} },
    lastUse: { note: () => {} },
    adminToken: { matches: () => false, filePath: null },
    clock: systemClock,
    log,
  });
  expect(() => app.get('/root', () => ({}))).toThrow('the route GET /root declares no guard');
  app.register(async (part) => {
    part.get('/part', () => ({}));
  });
  await expect(app.ready()).rejects.toThrow('the route GET /part declares no guard');
});

test('the last use of a token is written once a minute', async () => {
  await using world = await createDoorWorld({ allowCidrs: ['10.0.0.0/8'] });
  const token = await world.mint();
  const lastUse = async () => (await world.admin('/admin/tokens')).body.items[0];
  expect(await lastUse()).toMatchObject({ last_used_at: null, last_used_ip: null });

  await world.call('/whoami', { token, from: '10.0.0.1' });
  await expect.poll(lastUse).toMatchObject({
    last_used_at: '2026-01-01T00:00:00.000Z',
    last_used_ip: '10.0.0.1',
  });

  world.time.ms += 59_999;
  await world.call('/whoami', { token, from: '10.0.0.2' });
  expect(await lastUse()).toMatchObject({ last_used_ip: '10.0.0.1' });

  world.time.ms += 1;
  await world.call('/whoami', { token, from: '10.0.0.2' });
  await expect.poll(lastUse).toMatchObject({
    last_used_at: '2026-01-01T00:01:00.000Z',
    last_used_ip: '10.0.0.2',
  });
});

test('within a second a token is looked up once, and a change from outside is seen after it', async () => {
  await using world = await createDoorWorld();
  const token = await world.mint();
  await world.call('/whoami', { token });
  world.statements.length = 0;
  world.time.ms += 999;
  expect((await world.call('/whoami', { token })).status).toBe(200);
  expect(world.statements).toEqual([]);
  world.db.exec("update apps set revoked_at = 'now'");
  world.time.ms += 1;
  expect((await world.call('/whoami', { token })).status).toBe(401);
});

test('a last use that cannot be written is logged and harms no request', async () => {
  let isFailing = false;
  await using world = await createDoorWorld({
    wrapWriter: (writer) => ({
      ...writer,
      write: (work) => (isFailing ? Promise.reject(new Error('disk on fire')) : writer.write(work)),
    }),
  });
  const token = await world.mint();
  isFailing = true;
  for (let index = 0; index < 3; index += 1) {
    expect((await world.call('/whoami', { token })).status).toBe(200);
  }
  expect(world.lines.filter((line) => line.includes('disk on fire'))).toHaveLength(1);
});
