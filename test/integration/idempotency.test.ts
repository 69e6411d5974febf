// The same request once more under the same key: it is done once, and answered twice.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import type { Answer } from '../support/gateway-client.ts';
import { readRuns, startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import type { TestGateway } from '../support/test-gateway.ts';

function keyed(
  gateway: TestGateway,
  token: string,
  path: string,
  body: unknown,
  key: string,
  signal?: AbortSignal,
): Promise<Answer> {
  const headers = { 'idempotency-key': key };
  return gateway.as(token, path, { body, headers, ...(signal === undefined ? {} : { signal }) });
}

/** How many processes the runs had. */
function starts(gateway: TestGateway): number {
  const path = join(gateway.dataDir, 'spawned');
  return existsSync(path) ? (readFileSync(path, 'utf8').match(/"start"/g) ?? []).length : 0;
}

const logged = (gateway: TestGateway, prompt: string): string =>
  `@@log ${join(gateway.dataDir, 'spawned')}\n${prompt}`;

const isReplay = ({ headers }: Answer): boolean => headers.get('idempotent-replayed') === 'true';
const mismatch = { status: 422, body: { error: { code: 'idempotency_mismatch' } } };

describe('POST /run with an Idempotency-Key', () => {
  test.each([
    ['an answer', 'hello', 200],
    ['a failure', '@@error 529', 503],
    ['a run that broke off', '@@exit 3', 502],
  ])('replays %s as it was', async (_name, prompt, status) => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: logged(gateway, prompt), metadata: { b: '2', a: '1' } };
    const first = await keyed(gateway, token, '/run', body, 'key 1');
    const reordered = { metadata: { a: '1', b: '2' }, prompt: body.prompt };
    const second = await keyed(gateway, token, '/run', reordered, 'key 1');
    expect([first.status, second.status]).toEqual([status, status]);
    expect([isReplay(first), isReplay(second)]).toEqual([false, true]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get('retry-after')).toBe(first.headers.get('retry-after'));
    expect(starts(gateway)).toBe(1);
  });

  test('refuses another request under the same key', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    await keyed(gateway, token, '/run', { prompt: 'one' }, 'k');
    const other = await keyed(gateway, token, '/run', { prompt: 'two' }, 'k');
    expect(other).toMatchObject(mismatch);
    expect(await keyed(gateway, token, '/run', { prompt: 'one' }, 'k')).toMatchObject({
      ...{ status: 200, body: { result: 'one' } },
    });
  });

  test('says of one that is under way which run it is', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: `${waitForGo}\ndone` };
    const first = keyed(gateway, token, '/run', body, 'k');
    const [runId] = await untilHeld(gateway.runsDir, 1);
    const second = await keyed(gateway, token, '/run', body, 'k');
    const error = { code: 'conflict', retryable: false };
    expect(second).toMatchObject({ status: 409, body: { error, run_id: runId } });
    letGo(gateway.runsDir);
    expect((await first).body.result).toBe('done');
    expect(isReplay(await keyed(gateway, token, '/run', body, 'k'))).toBe(true);
  });

  test('goes on when its client goes away, and the key fetches the answer', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: `${waitForGo}\nfetched later` };
    const client = new AbortController();
    const first = keyed(gateway, token, '/run', body, 'k', client.signal);
    await untilHeld(gateway.runsDir, 1);
    client.abort();
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    letGo(gateway.runsDir);
    await expect.poll(() => readRuns(gateway.dataDir)[0]?.state).toBe('ended');
    const fetched = await keyed(gateway, token, '/run', body, 'k');
    expect(fetched).toMatchObject({ status: 200, body: { result: 'fetched later' } });
    expect(isReplay(fetched)).toBe(true);
  });

  test('sent ten times at once is done once', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: logged(gateway, 'once') };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => keyed(gateway, token, '/run', body, 'k')),
    );
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 409)]);
    expect(new Set(answers.map(({ body: { run_id } }) => run_id)).size).toBe(1);
    expect(starts(gateway)).toBe(1);
    expect(readRuns(gateway.dataDir)).toHaveLength(1);
  });

  test('is the key of its app and its path alone', async () => {
    await using gateway = await startCheckedGateway();
    const [token, other] = [await gateway.mint('app'), await gateway.mint('other')];
    const body = { prompt: 'hello' };
    const answers = [
      await keyed(gateway, token, '/run', body, 'k'),
      await keyed(gateway, other, '/run', body, 'k'),
      await keyed(gateway, token, '/runs', body, 'k'),
    ];
    expect(answers.map(isReplay)).toEqual([false, false, false]);
    expect(new Set(answers.map(({ body: { run_id } }) => run_id)).size).toBe(3);
    await gateway.ended(token, answers[2]?.body.run_id);
  });

  test('keeps nothing of a request that was refused before there was a run', async () => {
    await using gateway = await startCheckedGateway({
      env: { GATEWAY_CONCURRENCY: '1', RUN_QUEUE_LIMIT: '0' },
    });
    const token = await gateway.mint('app');
    expect((await keyed(gateway, token, '/run', { prompt: ' ' }, 'k')).status).toBe(400);
    const held = gateway.run(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    expect((await keyed(gateway, token, '/run', { prompt: 'x' }, 'k')).status).toBe(429);
    letGo(gateway.runsDir);
    await held;
    const answer = await keyed(gateway, token, '/run', { prompt: 'x' }, 'k');
    expect({ status: answer.status, replay: isReplay(answer) }).toEqual({
      status: 200,
      replay: false,
    });
  });

  test('works after a rotation of the token: a retry is not a second run', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    await keyed(gateway, token, '/run', { prompt: 'x' }, 'k');
    const rotated = await gateway.admin('/admin/tokens/app/rotate', { overlap_secs: 0 });
    const answer = await keyed(gateway, rotated.body.token, '/run', { prompt: 'x' }, 'k');
    expect(isReplay(answer)).toBe(true);
  });
});

describe('POST /runs with an Idempotency-Key', () => {
  test('sent five times at once gives one run', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map(() => keyed(gateway, token, '/runs', { prompt: 'x' }, 'k')),
    );
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await gateway.ended(token, answers[0]?.body.run_id);
    expect(readRuns(gateway.dataDir)).toHaveLength(1);
  });

  test('gives the same run, while it is under way and after it', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: waitForGo };
    const first = await keyed(gateway, token, '/runs', body, 'k');
    await untilHeld(gateway.runsDir, 1);
    const second = await keyed(gateway, token, '/runs', body, 'k');
    expect(second).toMatchObject({ status: 202, text: first.text });
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect([isReplay(first), isReplay(second)]).toEqual([false, true]);
    expect(await keyed(gateway, token, '/runs', { prompt: 'x' }, 'k')).toMatchObject(mismatch);
    letGo(gateway.runsDir);
    await gateway.ended(token, first.body.run_id);
    expect((await keyed(gateway, token, '/runs', body, 'k')).text).toBe(first.text);
    expect(readRuns(gateway.dataDir)).toHaveLength(1);
  });
});

function upload(
  gateway: TestGateway,
  token: string,
  content: string,
  ttlSecs: number,
): Promise<Answer> {
  const form = new FormData();
  form.set('ttl_secs', String(ttlSecs));
  form.set('file', new Blob([content]), 'notes.txt');
  const headers = { authorization: `Bearer ${token}`, 'idempotency-key': 'k' };
  return gateway.fetch('/files', { method: 'POST', headers, body: form });
}

describe('one key on POST /run, to wait and not to wait', () => {
  const headers = { 'idempotency-key': 'k', prefer: 'respond-async' };

  test('is one run when it was waited for first', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: 'hello' };
    const first = await keyed(gateway, token, '/run', body, 'k');
    const second = await gateway.as(token, '/run', { body, headers });
    expect(second).toMatchObject({
      ...{ status: 202, body: { run_id: first.body.run_id, status: 'ended', queue_position: 0 } },
    });
    expect(second.headers.get('location')).toBe(`/runs/${first.body.run_id}`);
    expect(isReplay(second)).toBe(true);
  });

  test('is one run when it was not waited for first', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const body = { prompt: 'hello' };
    const first = await gateway.as(token, '/run', { body, headers });
    const second = await keyed(gateway, token, '/run', body, 'k');
    expect(second).toMatchObject({ status: 202, text: first.text });
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    await gateway.ended(token, first.body.run_id);
  });
});

describe('POST /files with an Idempotency-Key', () => {
  test('keeps the file once, whatever the boundary of the form', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const first = await upload(gateway, token, 'content', 600);
    const second = await upload(gateway, token, 'content', 600);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.text).toBe(first.text);
    expect([isReplay(first), isReplay(second)]).toEqual([false, true]);
    expect(await upload(gateway, token, 'other', 600)).toMatchObject(mismatch);
    expect(await upload(gateway, token, 'content', 601)).toMatchObject(mismatch);
    expect((await gateway.as(token, '/files')).body.items).toHaveLength(1);
  });

  test('keeps nothing of one that was refused', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    expect((await upload(gateway, token, '', 600)).status).toBe(400);
    expect((await upload(gateway, token, 'content', 600)).status).toBe(201);
  });
});

describe('a token made with an Idempotency-Key', () => {
  const headers = {
    authorization: 'Bearer admin-token-of-a-test',
    'content-type': 'application/json',
    'idempotency-key': 'k',
  };

  test('is shown once: the same request again is a conflict, also when the name is free again', async () => {
    await using gateway = await startCheckedGateway();
    const create = (name: string) =>
      gateway.fetch('/admin/tokens', { method: 'POST', headers, body: JSON.stringify({ name }) });
    expect((await create('app')).status).toBe(201);
    const conflict = { status: 409, body: { error: { code: 'conflict' } } };
    expect(await create('app')).toMatchObject(conflict);
    expect(await create('other')).toMatchObject(mismatch);
    await gateway.admin('/admin/tokens/app', undefined, 'DELETE');
    expect(await create('app')).toMatchObject(conflict);
    expect((await gateway.admin('/admin/tokens')).body.items).toEqual([]);
  });

  test('is rotated once', async () => {
    await using gateway = await startCheckedGateway();
    await gateway.mint('app');
    const rotate = () =>
      gateway.fetch('/admin/tokens/app/rotate', { method: 'POST', headers, body: '{}' });
    const [first, second] = [await rotate(), await rotate()];
    expect([first.status, second.status]).toEqual([201, 409]);
  });
});

test.each(['', 'x'.repeat(256), 'tab\tinside', 'caf\u00e9'])('%j is no key', async (key) => {
  await using gateway = await startCheckedGateway();
  const token = await gateway.mint('app');
  for (const path of ['/run', '/runs']) {
    const answer = await keyed(gateway, token, path, { prompt: 'x' }, key);
    const details = { field: 'Idempotency-Key' };
    expect(answer).toMatchObject({ status: 400, body: { error: { details } } });
  }
});
