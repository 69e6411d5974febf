// Conversations in a workspace, with the pinned CLI and a model that asks for tools.
import { mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { chownSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { textReply, toolReply } from '../../cli/model-stub-reply.ts';
import { startModelGateway } from '../support/model-gateway.ts';

type World = AsyncDisposable & Awaited<ReturnType<typeof createWorld>>;

/** A workspace `notes` of an ordinary user, in which one file lies. */
async function createWorld(mode: 'ro' | 'rw') {
  const opened = new AsyncDisposableStack();
  const directory = opened.use(mkdtempDisposableSync(join(tmpdir(), 'gatehouse-ws-')));
  const path = join(directory.path, 'notes');
  mkdirSync(path, { mode: 0o755 });
  writeFileSync(join(path, 'a.txt'), 'the gate is open');
  if (process.getuid?.() === 0) {
    for (const each of [directory.path, path, join(path, 'a.txt')]) chownSync(each, 4711, 4711);
  }
  const file = join(directory.path, 'workspaces.json');
  writeFileSync(file, JSON.stringify({ notes: { path, mode } }));
  const gateway = opened.use(await startModelGateway({ WORKSPACES: file, SESSION_LIVE_SECS: '0' }));
  const token = await gateway.mint('writer', { workspaces: ['notes'] });
  const make = (workspace: string, by = token) =>
    gateway.as(by, '/sessions', { body: { workspace } });
  /** The model asks for one tool, gets its answer, and says that it is done. */
  const use = async (session: string, tool: string, input: Record<string, unknown>) => {
    gateway.answerWith((_request, index) =>
      index === 0 ? toolReply(tool, input) : textReply('done'),
    );
    const answer = await gateway.run(token, { prompt: 'do it', session_id: session });
    const told = JSON.stringify(gateway.model.calls.at(-1)?.body?.['messages'] ?? null);
    return { answer, told };
  };
  return { gateway, token, path, make, use, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

test('a session reads the files of its workspace, turn after turn, and nothing else of the host', async () => {
  await using world: World = await createWorld('ro');
  const { body } = await world.make('notes');
  const session = body.session_id as string;
  const first = await world.use(session, 'Read', { file_path: '/work/a.txt' });
  expect(first.answer.body).toMatchObject({ ok: true, result: 'done' });
  expect(first.told).toContain('the gate is open');
  const listed = await world.use(session, 'Glob', { pattern: '**/*' });
  expect(listed.answer.body).not.toHaveProperty('session_reset');
  // The turn before is there as well: the process is another one.
  expect(listed.told).toContain('the gate is open');
  for (const file_path of ['/etc/hostname', '/proc/self/environ', world.gateway.dataDir]) {
    const { answer, told } = await world.use(session, 'Read', { file_path });
    expect(answer.status).toBe(200);
    expect(told).not.toContain('sk-test');
  }
  const written = await world.use(session, 'Write', { file_path: '/work/b.txt', content: 'x' });
  expect(written.answer.status).toBe(200);
  expect(() => readFileSync(join(world.path, 'b.txt'))).toThrow('ENOENT');
});

test('a session writes in a workspace that it may write in, and is the only one', async () => {
  await using world: World = await createWorld('rw');
  const { body } = await world.make('notes');
  const second = await world.make('notes');
  expect(second).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
  expect(second.body.error.message).toContain('notes');
  const content = 'written by a session';
  await world.use(body.session_id, 'Write', { file_path: '/work/b.txt', content });
  expect(readFileSync(join(world.path, 'b.txt'), 'utf8')).toBe(content);
  await world.gateway.as(world.token, `/sessions/${body.session_id}`, { method: 'DELETE' });
  expect((await world.make('notes')).status).toBe(201);
});

test('a workspace is for the apps that it was granted to, as long as it is', async () => {
  await using world: World = await createWorld('ro');
  const stranger = await world.gateway.mint('stranger');
  expect((await world.make('notes', stranger)).status).toBe(400);
  expect((await world.make('none')).status).toBe(400);
  const { body } = await world.make('notes');
  await world.gateway.admin('/admin/tokens/writer', { workspaces: [] }, 'PATCH');
  const answer = await world.gateway.run(world.token, {
    ...{ prompt: 'hello', session_id: body.session_id },
  });
  expect(answer).toMatchObject({ status: 400, body: { error: { code: 'invalid_request' } } });
});
