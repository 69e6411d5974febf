// Watching a run: its events as they come, and again from any point.
import { request } from 'node:http';
import type { ClientRequest } from 'node:http';

import { describe, expect, test } from 'vitest';

import { readEvents } from '../support/event-reader.ts';
import type { EventReader } from '../support/event-reader.ts';
import { readRuns, startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import type { TestGateway } from '../support/test-gateway.ts';

function watch(
  gateway: TestGateway,
  token: string,
  runId: string,
  lastEventId?: number | string,
): Promise<EventReader> {
  const headers = lastEventId === undefined ? {} : { 'last-event-id': String(lastEventId) };
  return readEvents(`${gateway.url}/runs/${runId}/events`, token, { headers });
}

function stream(gateway: TestGateway, token: string, body: object, headers = {}) {
  const init = { method: 'POST', body: JSON.stringify(body), headers };
  return readEvents(`${gateway.url}/run`, token, init);
}

const numbered = (count: number): number[] =>
  Array.from({ length: count }, (_, index) => index + 1);

describe('GET /runs/<id>/events', () => {
  test('streams what happens, numbered from 1, and ends with the answer', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: `${waitForGo}\nhello there` });
    await untilHeld(gateway.runsDir, 1);
    await using reader = await watch(gateway, token, runId);
    expect(reader.response.status).toBe(200);
    const headers = Object.fromEntries(reader.response.headers);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'x-accel-buffering': 'no',
      'cache-control': expect.stringContaining('no-store'),
      'x-request-id': expect.stringMatching(/^req_/),
    });
    await reader.until('run.started');
    letGo(gateway.runsDir);
    await reader.ended;
    expect(reader.types()).toEqual([
      ...['run.queued', 'run.started', 'message.delta', 'message.completed', 'run.completed'],
    ]);
    expect(reader.events.map(({ id }) => id)).toEqual(numbered(5));
    const [queued, started, delta, completed, last] = reader.events.map(({ data }) => data);
    expect(queued).toMatchObject({ run_id: runId, queue_position: 0, attempt: 0 });
    expect(started).toMatchObject({ run_id: runId, attempt: 1, queue_ms: expect.any(Number) });
    expect(delta).toEqual({ message: 1, text: 'hello there' });
    expect(completed).toEqual({ message: 1, text: 'hello there', model: 'sonnet' });
    expect(last).toMatchObject({ ok: true, run_id: runId, result: 'hello there' });
  });

  test('can be read again from any number, and to its end after the run', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: 'one two three' });
    await gateway.ended(token, runId);
    await using whole = await watch(gateway, token, runId);
    await whole.ended;
    const last = whole.events.at(-1)?.id ?? 0;
    for (const after of [0, 1, 3, last - 1]) {
      await using rest = await watch(gateway, token, runId, after);
      await rest.ended;
      expect(rest.events).toEqual(whole.events.slice(after));
    }
    const over = await watch(gateway, token, runId, last);
    expect(over.response.status).toBe(204);
  });

  test('from a number it has not had is gone', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: 'hi' });
    await gateway.ended(token, runId);
    for (const lastEventId of ['99', '-1', 'x', '1.5', '9'.repeat(30), '1e1']) {
      const headers = { 'last-event-id': lastEventId };
      const answer = await gateway.as(token, `/runs/${runId}/events`, { headers });
      expect(answer).toMatchObject({ status: 410, body: { ok: false, error: { code: 'gone' } } });
    }
  });

  test('gives every one of many readers everything once, whenever they come', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: `@@say-many 40 10\n${waitForGo}\nend` });
    const readers: EventReader[] = [];
    for (let count = 0; count < 8; count += 1) {
      readers.push(await watch(gateway, token, runId));
    }
    await readers[0]?.until('message.completed');
    for (let count = 0; count < 4; count += 1) readers.push(await watch(gateway, token, runId, 2));
    await untilHeld(gateway.runsDir, 1);
    letGo(gateway.runsDir);
    for (const reader of readers) await reader.ended;
    const [first] = readers;
    const count = first?.events.length ?? 0;
    expect(first?.events.filter(({ type }) => type === 'message.completed')).toHaveLength(41);
    for (const [index, reader] of readers.entries()) {
      expect(reader.events.map(({ id }) => id)).toEqual(numbered(count).slice(index < 8 ? 0 : 2));
    }
    expect(gateway.gateway.engine.feed.count()).toBe(0);
  });

  test('tells a failure as the error that POST /run would have answered', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: '@@error 529' });
    await using reader = await watch(gateway, token, runId);
    await reader.ended;
    expect(reader.events.at(-1)).toMatchObject({
      type: 'run.failed',
      data: { ok: false, error: { code: 'overloaded', retryable: true }, run_id: runId },
    });
  });

  test('does not answer HEAD, which would begin a stream', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: 'hi' });
    const answer = await gateway.as(token, `/runs/${runId}/events`, { method: 'HEAD' });
    expect(answer.status).toBe(405);
    await gateway.ended(token, runId);
  });

  test('ends for a reader whose token was revoked, while the run goes on', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    await using reader = await watch(gateway, token, runId);
    await reader.until('run.started');
    await gateway.admin('/admin/tokens/app/rotate', { overlap_secs: 0 });
    await reader.ended;
    expect(reader.types()).not.toContain('run.completed');
    expect(gateway.logged()).toContainEqual(
      expect.objectContaining({ msg: 'event reader dropped', reason: 'forbidden' }),
    );
    letGo(gateway.runsDir);
    await expect.poll(() => readRuns(gateway.dataDir)[0]?.state).toBe('ended');
  });
});

describe('POST /run with Accept: text/event-stream', () => {
  test('streams the same, from the beginning', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    await using reader = await stream(gateway, token, { prompt: 'hello' });
    expect(reader.response.status).toBe(200);
    await reader.ended;
    expect(reader.types()).toEqual([
      ...['run.queued', 'run.started', 'message.delta', 'message.completed', 'run.completed'],
    ]);
  });

  test.each([
    ['text/event-stream', true],
    ['application/json, text/event-stream;q=0.5', true],
    ['TEXT/EVENT-STREAM', true],
    ['text/event-stream;q=0', false],
    ['text/event-stream; q=0.000', false],
    ['*/*', false],
    ['text/event-streams', false],
  ])('%s asks for a stream: %s', async (accept, isStream) => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const answer = await gateway.as(token, '/run', { body: { prompt: 'x' }, headers: { accept } });
    const type = isStream ? 'text/event-stream' : 'application/json';
    expect(answer.headers.get('content-type')).toContain(type);
  });

  test('refuses what is wrong before there is a stream', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const { response } = await stream(gateway, token, { prompt: ' ' });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toContain('application/json');
  });

  test('cancels the run when the client goes away', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const reader = await stream(gateway, token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    reader.close();
    await expect
      .poll(async () => (await gateway.audit('?action=run'))[0]?.outcome)
      .toBe('client_gone');
  });

  test('lets the run go on when the client that goes away had a key', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: `${waitForGo}\nthe answer` };
    const keyed = { 'idempotency-key': 'k1' };
    const reader = await stream(gateway, token, body, keyed);
    await untilHeld(gateway.runsDir, 1);
    reader.close();
    await reader.ended;
    letGo(gateway.runsDir);
    await expect.poll(() => readRuns(gateway.dataDir)[0]?.state).toBe('ended');
    await using again = await stream(gateway, token, body, keyed);
    await again.ended;
    expect(again.response.headers.get('idempotent-replayed')).toBe('true');
    expect(again.events.at(-1)).toMatchObject({ data: { ok: true, result: 'the answer' } });
    expect(readRuns(gateway.dataDir)).toHaveLength(1);
  });

  test('keeps nothing of what was said when prompts are not to be kept and nobody reads', async () => {
    await using gateway = await startCheckedGateway({ env: { AUDIT_PROMPTS: 'none' } });
    const token = await gateway.mint('app');
    const { body } = await gateway.run(token, { prompt: 'a private matter' });
    expect(body.result).toBe('a private matter');
    const view = await gateway.as(token, `/runs/${body.run_id}`);
    expect(view.body).toMatchObject({
      ...{ outcome: 'completed', stop_reason: 'end_turn', result_kept: false },
    });
    await using reader = await watch(gateway, token, body.run_id);
    await reader.ended;
    expect(JSON.stringify([view.body, reader.events])).not.toContain('private');
  });
});

/** A reader that takes the head of the answer and then nothing more. */
function stall(
  url: string,
  token: string,
): Promise<{ socket: ClientRequest; closed: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const socket = request(url, { headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.pause();
      const closed = new Promise<void>((done) => {
        response.once('close', done).on('error', () => {});
      });
      resolve({ socket, closed });
    });
    socket.on('error', reject).end();
  });
}

test('a reader that stops reading is dropped; the run and the others are not disturbed', async () => {
  await using gateway = await startCheckedGateway({ env: { RUN_OUTPUT_LIMIT_MB: '256' } });
  const token = await gateway.mint('app');
  const prompt = `${waitForGo}\n@@say-long 77\nthe end`;
  const runId = await gateway.submit(token, { prompt });
  await untilHeld(gateway.runsDir, 1);
  const url = `${gateway.url}/runs/${runId}/events`;
  const { socket } = await stall(url, token);
  letGo(gateway.runsDir);
  const ended = await gateway.ended(token, runId);
  expect(ended).toMatchObject({ outcome: 'completed' });
  await expect
    .poll(() => gateway.logged().some(({ reason }) => reason === 'lagged'), { timeout: 25_000 })
    .toBe(true);
  expect(gateway.gateway.engine.feed.count()).toBe(0);
  socket.destroy();
  await using again = await watch(gateway, token, runId, 2);
  await again.ended;
  expect(again.events[0]?.id).toBe(3);
  expect(again.events.filter(({ type }) => type === 'message.completed')).toHaveLength(78);
  expect(again.types().at(-1)).toBe('run.completed');
}, 60_000);
