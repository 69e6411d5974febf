// Conversations over HTTP, with the fake CLI, which keeps what was asked in a transcript as the real one does.
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { createGatewayClient } from '#shared/gateway-client.ts';

import { startTestGateway } from '../support/test-gateway.ts';
import type { TestGateway, TestGatewayOptions } from '../support/test-gateway.ts';

const within = { timeout: 20_000 };

type World = AsyncDisposable & {
  gateway: TestGateway;
  token: string;
  make: (fields?: Record<string, unknown>) => Promise<string>;
  /** Gives the whole answer of a run in the session. */
  say: (sessionId: string, prompt: string) => ReturnType<TestGateway['run']>;
  history: (sessionId: string) => Promise<unknown>;
};

async function createWorld(options: TestGatewayOptions = {}): Promise<World> {
  const gateway = await startTestGateway(options);
  const token = await gateway.mint(`app-${Math.random().toString(36).slice(2)}`);
  const say: World['say'] = (sessionId, prompt) =>
    gateway.run(token, { prompt, session_id: sessionId });
  return {
    ...{ gateway, token, say },
    async make(fields = {}) {
      const { status, body } = await gateway.as(token, '/sessions', { body: fields });
      expect(status).toBe(201);
      return body.session_id;
    },
    history: async (sessionId) => (await say(sessionId, '@@history')).body.result,
    [Symbol.asyncDispose]: () => gateway.close(),
  };
}

/** The one transcript of a session. */
async function transcriptOf(gateway: TestGateway, sessionId: string): Promise<string> {
  const root = join(gateway.dataDir, 'sessions', sessionId);
  const names = await readdir(root, { recursive: true });
  return join(root, names.find((name) => name.endsWith('.jsonl')) ?? 'none');
}

const withoutLive = { env: { SESSION_LIVE_SECS: '0' } };

describe('a session', () => {
  test.for([
    ['kept process', {}],
    ['new process each time', withoutLive],
  ] as const)('knows what was said before: %s', async ([, options]) => {
    await using world = await createWorld(options);
    const session = await world.make();
    const first = await world.say(session, 'one apple');
    expect(first.body).toMatchObject({ ok: true, result: 'one apple', session_id: session });
    await world.say(session, 'two pears');
    expect(await world.history(session)).toEqual(['one apple', 'two pears']);
    const other = await world.make();
    expect(await world.history(other)).toEqual([]);
    const { body } = await world.gateway.as(world.token, `/sessions/${session}`);
    expect(body).toMatchObject({ turns: 3, is_live: options !== withoutLive });
  });

  test('goes on after the gateway was stopped and started again', async () => {
    const first = await startTestGateway({ keep: true });
    const { dataDir } = first;
    const token = await first.mint('app');
    const { body } = await first.as(token, '/sessions', { body: {} });
    await first.run(token, { prompt: 'before', session_id: body.session_id });
    await first.close();
    await using second = await startTestGateway({ dataDir });
    const answer = await second.run(token, { prompt: '@@history', session_id: body.session_id });
    expect(answer.body).toMatchObject({ result: ['before'] });
    expect(answer.body).not.toHaveProperty('session_reset');
  });

  test('has its system prompt, model and schema in every run, and none of the run', async () => {
    await using world = await createWorld(withoutLive);
    const settings = { system: 'You are a gate.', model: 'opus' };
    const session = await world.make({ ...settings, metadata: { room: '7' } });
    for (const prompt of ['@@report', '@@report\nagain']) {
      const { body } = await world.say(session, prompt);
      const told = { system: ['You are a gate.'], model: 'opus' };
      expect(body.result.told).toMatchObject(told);
    }
    for (const field of ['system', 'model', 'json_schema']) {
      const value = field === 'json_schema' ? { type: 'object' } : 'sonnet';
      const request = { prompt: 'x', session_id: session, [field]: value };
      const { status, body } = await world.gateway.run(world.token, request);
      expect(status).toBe(400);
      expect(body.error).toMatchObject({ code: 'invalid_request', details: { field } });
    }
  });

  test('is not there for another app, nor after its end', async () => {
    await using world = await createWorld();
    const { gateway, token } = world;
    const session = await world.make();
    const stranger = await gateway.mint('stranger');
    const path = `/sessions/${session}`;
    const strange = await gateway.run(stranger, { prompt: 'x', session_id: session });
    const never = await gateway.run(stranger, { prompt: 'x', session_id: 'sess_none' });
    expect([strange.status, never.status]).toEqual([404, 404]);
    expect(strange.body.error).toEqual(never.body.error);
    expect((await gateway.as(stranger, path)).status).toBe(404);
    expect((await gateway.as(stranger, path, { method: 'DELETE' })).status).toBe(404);
    expect((await gateway.as(stranger, '/sessions')).body.items).toEqual([]);

    await world.say(session, 'something private');
    expect((await gateway.as(token, path, { method: 'DELETE' })).status).toBe(204);
    expect((await gateway.as(token, path, { method: 'DELETE' })).status).toBe(404);
    expect((await world.say(session, 'x')).status).toBe(404);
    await expect.poll(() => readdir(join(gateway.dataDir, 'sessions')), within).toEqual([]);
    const actions = (await gateway.audit()).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining(['session.created', 'session.ended']));
  });

  test('is listed newest first, page by page', async () => {
    await using world = await createWorld();
    const made = [];
    for (let count = 0; count < 3; count += 1) made.unshift(await world.make());
    const list = (query: string) => world.gateway.as(world.token, `/sessions?limit=2${query}`);
    const first = (await list('')).body;
    const second = (await list(`&after=${first.next}`)).body;
    const ids = [...first.items, ...second.items].map((item) => item.session_id);
    expect(ids).toEqual(made);
    expect(second.next).toBeNull();
  });

  test('is one of so many of an app', async () => {
    await using world = await createWorld({ env: { SESSIONS_PER_APP: '2' } });
    const session = await world.make();
    await world.make();
    const { status, body } = await world.gateway.as(world.token, '/sessions', { body: {} });
    expect(status).toBe(429);
    expect(body.error).toMatchObject({ code: 'app_busy' });
    await world.gateway.as(world.token, `/sessions/${session}`, { method: 'DELETE' });
    await world.make();
  });
});

test('metrics tell how many sessions there are, and how many have a process', async () => {
  await using world = await createWorld();
  await world.make();
  await world.say(await world.make(), 'x');
  const { text } = await world.gateway.admin('/metrics');
  expect(text).toMatch(/^gatehouse_sessions 2$/m);
  expect(text).toMatch(/^gatehouse_live_sessions 1$/m);
});

test('the client makes, names, lists and ends them', async () => {
  await using world = await createWorld();
  await using client = createGatewayClient({ url: world.gateway.url, token: world.token });
  const { session_id } = await client.createSession({ system: 'You are a gate.' });
  await client.run({ prompt: 'one apple', session_id });
  const { result } = await client.run({ prompt: '@@history', session_id });
  expect(result).toEqual(['one apple']);
  expect(await client.session(session_id)).toMatchObject({ turns: 2, is_live: true });
  const all = await Array.fromAsync(client.allSessions());
  expect(all.map((session) => session.session_id)).toEqual([session_id]);
  await client.endSession(session_id);
  expect((await client.sessions()).items).toEqual([]);
});

describe('runs of one session', () => {
  test('that come at once are done in order, one at a time', async () => {
    await using world = await createWorld({ env: { GATEWAY_CONCURRENCY: '4' } });
    const session = await world.make();
    const prompts = ['1', '2', '3', '4'].map((each) => `@@sleep 50\n${each}`);
    const runs = [];
    for (const prompt of prompts) {
      runs.push(await world.gateway.submit(world.token, { prompt, session_id: session }));
    }
    for (const run of runs) await world.gateway.ended(world.token, run);
    expect(await world.history(session)).toEqual(prompts);
  });

  test('go on when one of them is cancelled in the middle', async () => {
    await using world = await createWorld({ env: { GATEWAY_CONCURRENCY: '4' } });
    const { gateway, token } = world;
    const session = await world.make();
    await world.say(session, 'first');
    const cancelled = await gateway.submit(token, {
      ...{ prompt: '@@init-then-silence', session_id: session },
    });
    const next = await gateway.submit(token, { prompt: '@@history', session_id: session });
    await expect
      .poll(async () => (await gateway.as(token, `/runs/${cancelled}`)).body.status, within)
      .toBe('running');
    await gateway.as(token, `/runs/${cancelled}/cancel`, { method: 'POST' });
    expect(await gateway.ended(token, cancelled)).toMatchObject({ outcome: 'cancelled' });
    const { result, session_id: id } = await gateway.ended(token, next);
    expect(result).toEqual(['first', '@@init-then-silence']);
    expect(id).toBe(session);
  });

  test('are cancelled with it', async () => {
    await using world = await createWorld();
    const { gateway, token } = world;
    const session = await world.make();
    const submit = (prompt: string) => gateway.submit(token, { prompt, session_id: session });
    const runs = [await submit('@@init-then-silence'), await submit('waits')];
    await gateway.as(token, `/sessions/${session}`, { method: 'DELETE' });
    for (const run of runs) {
      expect(await gateway.ended(token, run)).toMatchObject({ outcome: 'cancelled' });
    }
    await expect.poll(() => readdir(join(gateway.dataDir, 'sessions')), within).toEqual([]);
  });
});

describe('a conversation that is lost', () => {
  const damages: [string, (path: string) => Promise<void>][] = [
    ['missing', (path) => rm(path)],
    ['empty', (path) => writeFile(path, '')],
    ['shorter than it was', (path) => truncate(path, 30)],
    ['another one', (path) => writeFile(path, '{"asked":"x"}\n'.repeat(100))],
  ];
  test.for(damages)('begins anew and says so once: its transcript is %s', async ([, damage]) => {
    await using world = await createWorld(withoutLive);
    const session = await world.make();
    await world.say(session, 'one apple');
    await world.say(session, 'two pears');
    await damage(await transcriptOf(world.gateway, session));
    const after = await world.say(session, '@@history');
    expect(after.body).toMatchObject({ ok: true, result: [], session_reset: true });
    const next = await world.say(session, '@@history');
    expect(next.body).toMatchObject({ ok: true, result: ['@@history'] });
    expect(next.body).not.toHaveProperty('session_reset');
  });

  test('begins anew when only the CLI can tell', async () => {
    await using world = await createWorld(withoutLive);
    const session = await world.make();
    // It never got as far as an answer, so that the gateway knows nothing of its transcript.
    await world.say(session, '@@error 500');
    const path = await transcriptOf(world.gateway, session);
    expect(await readFile(path, 'utf8')).toContain('@@error');
    await writeFile(path, 'no transcript\n');
    const after = await world.say(session, '@@history');
    expect(after.body).toMatchObject({ ok: true, result: [], session_reset: true });
  });
});

describe('what a session takes', () => {
  test('ends by age, with its directory', async () => {
    await using world = await createWorld({ env: { SESSION_IDLE_SECS: '1' } });
    const session = await world.make();
    await world.say(session, 'x');
    const path = `/sessions/${session}`;
    await expect
      .poll(async () => (await world.gateway.as(world.token, path)).status, within)
      .toBe(404);
    const sessionsDir = join(world.gateway.dataDir, 'sessions');
    await expect.poll(() => readdir(sessionsDir), within).toEqual([]);
  });

  test('has a bound on disk, which is said', async () => {
    const env = { SESSION_LIVE_SECS: '0', SESSION_DISK_MB: '1' };
    await using world = await createWorld({ env });
    const session = await world.make();
    await world.say(session, '@@fill-disk 2');
    const { status, body } = await world.say(session, 'x');
    expect(status).toBe(507);
    expect(body.error).toMatchObject({ code: 'disk_full' });
    expect(body.error.message).toContain('begin a new one');
    // It can be ended all the same, and nothing of it stays.
    await world.gateway.as(world.token, `/sessions/${session}`, { method: 'DELETE' });
    const left = (): Promise<string[]> => readdir(join(world.gateway.dataDir, 'sessions'));
    await expect.poll(left, within).toEqual([]);
  });

  test('is not its process when that was asked to do without', async () => {
    await using world = await createWorld({ env: { SESSIONS_LIVE_MAX: '1' } });
    const [one, two] = [await world.make(), await world.make()];
    await world.say(one, 'x');
    await world.say(two, 'x');
    const live = async (session: string) =>
      (await world.gateway.as(world.token, `/sessions/${session}`)).body.is_live;
    expect([await live(one), await live(two)]).toEqual([false, true]);
    expect(await world.history(one)).toEqual(['x']);
  });
});
