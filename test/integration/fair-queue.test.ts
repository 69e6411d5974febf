// One machine, shared by apps: who waits for whom, who is turned away, and what an operator can change meanwhile.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';
import { readProjectVersion } from '#shared/project-version.ts';

import type { Answer } from '../support/gateway-client.ts';
import { readRuns, startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import type { TestGateway } from '../support/test-gateway.ts';

test('an app that queues a hundred runs delays the one of another app by one run', async () => {
  await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
  const [hog, other] = [await gateway.mint('hog'), await gateway.mint('other')];
  const log = join(gateway.dataDir, 'spawned');
  await gateway.submit(hog, { prompt: `@@log ${log}\n${waitForGo}` });
  await untilHeld(gateway.runsDir, 1);
  const hogged = Array.from({ length: 100 }, () =>
    gateway.submit(hog, { prompt: `@@log ${log}\nhog` }),
  );
  const runIds = await Promise.all(hogged);
  const answer = gateway.run(other, { prompt: `@@log ${log}\nother` });
  await expect.poll(() => gateway.gateway.engine.queue.counts().waiting).toBe(101);
  letGo(gateway.runsDir);
  expect((await answer).status).toBe(200);
  const started = readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const runs = started.filter(({ event }) => event === 'start').map(({ run }) => run);
  expect(runs.indexOf((await answer).body.run_id)).toBe(1);
  for (const runId of runIds.slice(2)) {
    await gateway.as(hog, `/runs/${runId}/cancel`, { method: 'POST' });
  }
});

test('a burst of 200 clients on four places and a line of fifty: 54 are served, the rest is told when to come back', async () => {
  await using gateway = await startCheckedGateway({
    env: { GATEWAY_CONCURRENCY: '4', RUN_QUEUE_LIMIT: '50' },
  });
  const tokens = await Promise.all(['a', 'b', 'c', 'd'].map((name) => gateway.mint(name)));
  const held = await Promise.all(
    tokens.map((token) => gateway.submit(token, { prompt: waitForGo })),
  );
  await untilHeld(gateway.runsDir, 4);
  const refused: number[] = [];
  const answers = Array.from({ length: 196 }, async (_, index) => {
    const token = tokens[index % 4] ?? '';
    const answer = await gateway.run(token, { prompt: 'served' });
    if (answer.status === 429) refused.push(Number(answer.headers.get('retry-after')));
    return answer;
  });
  await expect.poll(() => refused.length, { timeout: 20_000 }).toBe(146);
  expect(Math.min(...refused)).toBeGreaterThan(0);
  letGo(gateway.runsDir);
  const served = (await Promise.all(answers)).filter(({ status }) => status === 200);
  expect(served).toHaveLength(50);
  for (const [index, token] of tokens.entries()) await gateway.ended(token, held[index] ?? '');
  expect(readRuns(gateway.dataDir)).toHaveLength(54);
}, 120_000);

test('a refusal says whose limit it was', async () => {
  await using gateway = await startCheckedGateway({
    env: { GATEWAY_CONCURRENCY: '1', RUN_QUEUE_LIMIT: '3', RUN_QUEUE_LIMIT_PER_APP: '2' },
  });
  const [a, b] = [await gateway.mint('a'), await gateway.mint('b')];
  const runIds = [await gateway.submit(a, { prompt: waitForGo })];
  await untilHeld(gateway.runsDir, 1);
  for (let count = 0; count < 2; count += 1) runIds.push(await gateway.submit(a, { prompt: 'x' }));
  const own = await gateway.as(a, '/runs', { body: { prompt: 'x' } });
  expect(own).toMatchObject({
    status: 429,
    body: { error: { code: 'app_busy', retryable: true } },
  });
  expect(own.body.error.message).toContain('a has 2 runs waiting; its limit is 2');
  const last = await gateway.submit(b, { prompt: 'x' });
  const all = await gateway.as(b, '/runs', { body: { prompt: 'x' } });
  expect(all).toMatchObject({ status: 429, body: { error: { code: 'queue_full' } } });
  expect(all.body.error.message).toContain('3 runs are waiting');
  letGo(gateway.runsDir);
  for (const runId of runIds) await gateway.ended(a, runId);
  await gateway.ended(b, last);
});

function patch(gateway: TestGateway, body: unknown): Promise<Answer> {
  return gateway.admin('/admin/tokens/app', body, 'PATCH');
}

describe('PATCH /admin/tokens/<name>', () => {
  test('lets waiting runs start as soon as the limit is raised', async () => {
    await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '4' } });
    const token = await gateway.mint('app', { max_concurrent: 1 });
    const runIds: string[] = [];
    for (let count = 0; count < 3; count += 1) {
      runIds.push(await gateway.submit(token, { prompt: waitForGo }));
    }
    await untilHeld(gateway.runsDir, 1);
    const changed = await patch(gateway, { max_concurrent: 3 });
    expect(changed).toMatchObject({ status: 200, body: { name: 'app', max_concurrent: 3 } });
    await untilHeld(gateway.runsDir, 3);
    letGo(gateway.runsDir);
    for (const runId of runIds) await gateway.ended(token, runId);
  });

  test('changes what it names, at once, and leaves the rest', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app', { models: ['haiku'], timeout_secs_max: 9 });
    expect((await gateway.run(token, { prompt: 'x', model: 'opus' })).status).toBe(400);
    await patch(gateway, { models: ['opus'] });
    expect((await gateway.run(token, { prompt: 'x', model: 'opus' })).status).toBe(200);
    const { body } = await patch(gateway, { models: null, ip_cidrs: ['127.0.0.0/8'] });
    expect(body).toMatchObject({ models: null, ip_cidrs: ['127.0.0.0/8'], timeout_secs_max: 9 });
    await patch(gateway, { ip_cidrs: ['10.0.0.0/8'] });
    expect((await gateway.run(token, { prompt: 'x' })).status).toBe(403);
    const [row] = await gateway.audit('?action=token.changed');
    expect(row).toMatchObject({
      app: 'app',
      details: {
        before: { ip_cidrs: ['127.0.0.0/8'] },
        after: { ip_cidrs: ['10.0.0.0/8'], timeout_secs_max: 9 },
      },
    });
    expect(await gateway.audit('?action=token.changed')).toHaveLength(3);
  });

  test.each([
    [{}, 'body'],
    [{ name: 'other' }, 'name'],
    [{ max_concurrent: 0 }, 'max_concurrent'],
    [{ ip_cidrs: ['10.0.0.0/ 8'] }, 'ip_cidrs.0'],
    [{ models: ['gpt'] }, 'models.0'],
    [{ timeout_secs_max: 1e6 }, 'timeout_secs_max'],
    [{ max_queued: -1 }, 'max_queued'],
    [{ workspaces: ['gone'] }, 'workspaces.0'],
  ])('refuses %j and changes nothing', async (body, field) => {
    await using gateway = await startCheckedGateway();
    await gateway.mint('app');
    const before = (await gateway.admin('/admin/tokens')).text;
    const answer = await patch(gateway, body);
    expect(answer).toMatchObject({ status: 400, body: { error: { details: { field } } } });
    expect((await gateway.admin('/admin/tokens')).text).toBe(before);
  });

  test('of an app that is not there is 404', async () => {
    await using gateway = await startCheckedGateway();
    expect((await patch(gateway, { max_queued: 1 })).status).toBe(404);
  });
});

test('readiness tells a line that does not move from one that is only long', async () => {
  const passed = { ms: 0 };
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passed.ms };
  await using gateway = await startCheckedGateway({
    ...{ clock, env: { GATEWAY_CONCURRENCY: '1', RUN_IDLE_SECS: '86400' } },
  });
  const token = await gateway.mint('app');
  const long = { prompt: waitForGo, timeout_secs: 3600 };
  const runIds = [await gateway.submit(token, long), await gateway.submit(token, long)];
  await untilHeld(gateway.runsDir, 1);
  runIds.push(await gateway.submit(token, { prompt: 'x' }));
  const queue = async () => {
    const { body } = await gateway.fetch('/readyz');
    return body.parts.find(({ name }: { name: string }) => name === 'queue');
  };
  expect(await queue()).toMatchObject({ ok: true, message: expect.stringContaining('2 waiting') });
  passed.ms = 11 * 60_000;
  expect(await queue()).toMatchObject({ ok: false });
  const [first = ''] = await untilHeld(gateway.runsDir, 1);
  letGo(gateway.runsDir, first);
  await gateway.ended(token, first);
  await untilHeld(gateway.runsDir, 1);
  expect(await queue()).toMatchObject({
    ok: true,
    message: expect.stringMatching(/oldest for 66\d s/),
  });
  letGo(gateway.runsDir);
  for (const runId of runIds) await gateway.ended(token, runId);
});

test('GET /me tells an app its limits, its use, its queue and its last errors, and nothing of others', async () => {
  await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
  const limits = { models: ['haiku', 'sonnet'], max_concurrent: 3, timeout_secs_max: 60 };
  const token = await gateway.mint('app', { ...limits, expires_in_secs: 3600 });
  const other = await gateway.mint('other');
  await gateway.run(other, { prompt: '@@error 500' });
  await gateway.run(token, { prompt: 'hello' });
  await gateway.run(token, { prompt: 'hello' });
  const failed = await gateway.run(token, { prompt: '@@error 529' });
  const runIds = [await gateway.submit(token, { prompt: waitForGo })];
  await untilHeld(gateway.runsDir, 1);
  runIds.push(await gateway.submit(token, { prompt: 'waits' }));
  const { status, body } = await gateway.as(token, '/me');
  expect(status).toBe(200);
  expect(body).toEqual({
    name: 'app',
    subscription: { parked: null, windows: [] },
    token_expires_at: expect.stringMatching(/^\d{4}-/),
    limits: {
      ...{ models: ['haiku', 'sonnet'], default_model: 'sonnet', max_concurrent: 1 },
      ...{
        max_queued: 250,
        timeout_secs_max: 60,
        files_quota_bytes: 256 * 2 ** 20,
        workspaces: [],
      },
    },
    queue: { running: 1, waiting: 1 },
    usage_24h: {
      ...{ runs: 3, by_outcome: { completed: 2, overloaded: 1 } },
      ...{ input_tokens: 300, output_tokens: 60, cost_usd: 0.0012 },
    },
    files: { count: 0, bytes: 0 },
    gateway_version: await readProjectVersion(),
    last_errors: [
      {
        ...{ run_id: failed.body.run_id, code: 'overloaded' },
        ...{ message: 'The API is overloaded.', at: expect.stringMatching(/^\d{4}-/) },
      },
    ],
  });
  letGo(gateway.runsDir);
  for (const runId of runIds) await gateway.ended(token, runId);
});

describe('GET /admin/runs', () => {
  test('shows the runs of all apps, or of one, and the operator can cancel any', async () => {
    await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
    const [a, b] = [await gateway.mint('a'), await gateway.mint('b')];
    const failed = await gateway.run(a, { prompt: '@@exit 1' });
    const held = await gateway.submit(a, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    const waiting = await gateway.submit(b, { prompt: 'waits' });
    const { body } = await gateway.admin('/admin/runs');
    expect(body).toMatchObject({
      items: [
        { run_id: waiting, app: 'b', status: 'queued', queue_position: 1, pid: null },
        { run_id: held, app: 'a', status: 'running', pid: expect.any(Number) },
        { run_id: failed.body.run_id, app: 'a', status: 'ended', outcome: 'crashed', pid: null },
      ],
      next: null,
    });
    expect(body.items[2].error).toContain('exit code 1');
    const ofB = await gateway.admin('/admin/runs?app=b&status=queued&limit=1');
    expect(ofB.body.items.map(({ app }: { app: string }) => app)).toEqual(['b']);
    expect((await gateway.as(a, '/admin/runs')).status).toBe(403);

    for (const runId of [waiting, held]) {
      const cancelled = await gateway.admin(`/admin/runs/${runId}/cancel`, undefined, 'POST');
      expect(cancelled.status).toBe(202);
    }
    expect(await gateway.ended(b, waiting)).toMatchObject({ outcome: 'cancelled' });
    expect(await gateway.ended(a, held)).toMatchObject({ outcome: 'cancelled' });
    const rows = await gateway.audit('?action=run.cancelled');
    expect(rows.map(({ app, details }) => [app, details.run_id])).toEqual([
      ['a', held],
      ['b', waiting],
    ]);
    const late = await gateway.admin(`/admin/runs/${held}/cancel`, undefined, 'POST');
    expect(late.status).toBe(409);
    const unknown = await gateway.admin('/admin/runs/run_x/cancel', undefined, 'POST');
    expect(unknown.status).toBe(404);
  });
});
