// Fire and forget, come back, watch, cancel: runs that nobody waits for on the line.
import { describe, expect, test } from 'vitest';

import { startCheckedGateway } from '../support/leak-check.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';

const oneAtATime = { env: { GATEWAY_CONCURRENCY: '1' } };

describe('POST /runs', () => {
  test('answers at once, and the run is there to be asked for until it has its answer', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const metadata = { ticket: '7' };
    const accepted = await gateway.as(token, '/runs', { body: { prompt: waitForGo, metadata } });
    expect(accepted).toMatchObject({
      status: 202,
      body: { status: 'starting', queue_position: 0, estimate_secs: expect.any(Number) },
    });
    const runId: string = accepted.body.run_id;
    expect(accepted.headers.get('location')).toBe(`/runs/${runId}`);
    await untilHeld(gateway.runsDir, 1);
    const running = await gateway.as(token, `/runs/${runId}`);
    expect(running.body).toMatchObject({ status: 'running', attempt: 1, metadata, ended_at: null });
    expect(running.body).not.toHaveProperty('outcome');
    letGo(gateway.runsDir);
    const ended = await gateway.ended(token, runId);
    expect(ended).toMatchObject({
      ...{ run_id: runId, status: 'ended', outcome: 'completed', result: 'ok' },
      ...{ model: 'sonnet', requested_model: 'sonnet', stop_reason: 'end_turn' },
      ...{ cost_usd: 0.0004, duration_ms: expect.any(Number), metadata },
      usage: { input_tokens: 100, output_tokens: 20 },
    });
    const [row] = await gateway.audit('?action=run');
    expect(row).toMatchObject({ run_id: runId, outcome: 'completed', prompt: waitForGo });
  });

  test('is what Prefer: respond-async makes of POST /run', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    for (const prefer of ['respond-async', 'wait=10, Respond-Async', 'respond-async; x=1']) {
      const answer = await gateway.as(token, '/run', {
        body: { prompt: 'hi' },
        headers: { prefer },
      });
      expect(answer.status).toBe(202);
      expect(answer.headers.get('preference-applied')).toBe('respond-async');
      expect((await gateway.ended(token, answer.body.run_id)).result).toBe('hi');
    }
    const answer = await gateway.as(token, '/run', {
      ...{ body: { prompt: 'hi' }, headers: { prefer: 'respond-asynchronously' } },
    });
    expect(answer).toMatchObject({ status: 200, body: { result: 'hi' } });
  });

  test('tells the place in the line, which moves up', async () => {
    await using gateway = await startCheckedGateway(oneAtATime);
    const token = await gateway.mint('app');
    const held = await gateway.submit(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    const waiting = [1, 2, 3].map(() => gateway.as(token, '/runs', { body: { prompt: 'next' } }));
    const bodies = (await Promise.all(waiting)).map(({ body }) => body);
    expect(bodies.map(({ queue_position }) => queue_position)).toEqual([1, 2, 3]);
    expect(bodies.map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    await gateway.as(token, `/runs/${bodies[0].run_id}/cancel`, { method: 'POST' });
    const last = await gateway.as(token, `/runs/${bodies[2].run_id}`);
    expect(last.body).toMatchObject({ status: 'queued', queue_position: 2 });
    letGo(gateway.runsDir, held);
    expect((await gateway.ended(token, bodies[2].run_id)).outcome).toBe('completed');
  });

  test.each([
    [{ prompt: '' }, 'prompt'],
    [{ prompt: 'x', on_interrupt: 'maybe' }, 'on_interrupt'],
    [{ prompt: 'x', unknown: 1 }, 'unknown'],
    [{ prompt: 'x', model: 'gpt' }, 'model'],
  ])('refuses %j as POST /run does', async (body, field) => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const answer = await gateway.as(token, '/runs', { body });
    expect(answer).toMatchObject({ status: 400, body: { error: { details: { field } } } });
  });

  test('tells a failure by its code, with status 200', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: '@@error 529' });
    const ended = await gateway.ended(token, runId);
    const error = { code: 'overloaded', retryable: true, retry_after_secs: expect.any(Number) };
    expect(ended).toMatchObject({ status: 'ended', outcome: 'overloaded', error });
    expect(ended).not.toHaveProperty('result');
  });

  test('keeps its files, also when they are deleted while it waits', async () => {
    await using gateway = await startCheckedGateway(oneAtATime);
    const token = await gateway.mint('app');
    await gateway.submit(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    const form = new FormData();
    form.set('file', new Blob(['what the file says']), 'notes.txt');
    const headers = { authorization: `Bearer ${token}` };
    const kept = await gateway.fetch('/files', { method: 'POST', headers, body: form });
    const fileToken: string = kept.body.file_token;
    const runId = await gateway.submit(token, { prompt: 'and', files: [fileToken] });
    const path = `/files/${fileToken}`;
    expect((await gateway.as(token, path, { method: 'DELETE' })).status).toBe(204);
    expect((await gateway.as(token, '/files')).body.items).toEqual([]);
    const again = await gateway.as(token, '/runs', { body: { prompt: 'x', files: [fileToken] } });
    expect(again.status).toBe(404);
    letGo(gateway.runsDir);
    expect(await gateway.ended(token, runId)).toMatchObject({ outcome: 'completed' });
  });
});

describe('GET /runs/<id>?wait', () => {
  test('answers as soon as the run has ended, and with how it is when the time is over', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    const early = await gateway.as(token, `/runs/${runId}?wait=0.2`);
    expect(early.body.status).toBe('running');
    const late = gateway.as(token, `/runs/${runId}?wait=60`);
    letGo(gateway.runsDir);
    expect((await late).body).toMatchObject({ status: 'ended', result: 'ok' });
  });

  test('is refused when it is no time from 0 to 60 seconds', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const runId = await gateway.submit(token, { prompt: 'x' });
    for (const wait of ['-1', '61', 'x', '1e309', '']) {
      const { status, body } = await gateway.as(token, `/runs/${runId}?wait=${wait}`);
      expect({ wait, status, ...body.error }).toMatchObject({
        ...{ wait, status: 400, details: { field: 'wait' } },
      });
    }
  });
});

describe('GET /runs', () => {
  test('pages through the own runs, newest first, while others come', async () => {
    await using gateway = await startCheckedGateway();
    const [token, other] = [await gateway.mint('app'), await gateway.mint('other')];
    const runIds: string[] = [];
    for (let count = 0; count < 7; count += 1) {
      const { body } = await gateway.run(token, { prompt: `${count}` });
      runIds.unshift(body.run_id);
      await gateway.run(other, { prompt: 'not shown' });
    }
    const seen: string[] = [];
    for (let path: string | null = '/runs?limit=3'; path !== null;) {
      const { body } = await gateway.as(token, path);
      await gateway.run(token, { prompt: 'a newer one' });
      seen.push(...body.items.map((item: { run_id: string }) => item.run_id));
      path = body.next === null ? null : `/runs?limit=3&after=${body.next}`;
    }
    expect(seen).toEqual(runIds);
    const ended = await gateway.as(token, '/runs?status=ended&limit=200');
    expect(ended.body.items.every((item: object) => !('result' in item))).toBe(true);
    expect((await gateway.as(token, '/runs?status=queued')).body).toEqual({
      items: [],
      next: null,
    });
  });
});

describe.each(['none', 'require'])('with SANDBOX=%s, a cancel', (SANDBOX) => {
  test('ends a run that is deaf, process and all, and says cancelled', async () => {
    await using gateway = await startCheckedGateway({ env: { SANDBOX } });
    const token = await gateway.mint('app');
    const prompt = `@@ignore-term\n@@ignore-interrupt\n@@setsid 300000\n${waitForGo}`;
    const runId = await gateway.submit(token, { prompt });
    await untilHeld(gateway.runsDir, 1);
    // With the header that some clients send with everything.
    const headers = { 'content-type': 'application/json' };
    const cancel = () => gateway.as(token, `/runs/${runId}/cancel`, { method: 'POST', headers });
    const [first, second] = [await cancel(), await cancel()];
    expect([first.status, second.status]).toEqual([202, 202]);
    expect(first.body).toEqual({ run_id: runId, status: 'running' });
    expect(await gateway.ended(token, runId)).toMatchObject({
      ...{ outcome: 'cancelled', error: { code: 'cancelled', retryable: false } },
    });
    const late = await cancel();
    expect(late).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict' }, run_id: runId },
    });
  });
});

describe('a cancel', () => {
  test('of a run that waits ends it without a process', async () => {
    await using gateway = await startCheckedGateway(oneAtATime);
    const token = await gateway.mint('app');
    await gateway.submit(token, { prompt: waitForGo });
    const [held = ''] = await untilHeld(gateway.runsDir, 1);
    const runId = await gateway.submit(token, { prompt: 'never' });
    await gateway.as(token, `/runs/${runId}/cancel`, { method: 'POST' });
    expect(await gateway.ended(token, runId)).toMatchObject({
      ...{ outcome: 'cancelled', started_at: null, attempt: 0 },
    });
    letGo(gateway.runsDir, held);
  });

  test('tells a client that waits for the answer', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const answer = gateway.run(token, { prompt: waitForGo });
    const [runId = ''] = await untilHeld(gateway.runsDir, 1);
    await gateway.as(token, `/runs/${runId}/cancel`, { method: 'POST' });
    const error = { code: 'cancelled', retryable: false };
    expect(await answer).toMatchObject({ status: 409, body: { error, run_id: runId } });
  });
});

describe('the run of another app', () => {
  test('is not there on any route, as one that never was', async () => {
    await using gateway = await startCheckedGateway();
    const [token, other] = [await gateway.mint('app'), await gateway.mint('other')];
    const runId = await gateway.submit(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    const others = ['run_00000000000000000000000000', '..%2f..%2fx', 'x'.repeat(5000)];
    for (const id of [runId, ...others]) {
      const answers = await Promise.all([
        gateway.as(other, `/runs/${id}`),
        gateway.as(other, `/runs/${id}?wait=30`),
        gateway.as(other, `/runs/${id}/events`),
        gateway.as(other, `/runs/${id}/cancel`, { method: 'POST' }),
      ]);
      for (const { status, body } of answers) {
        expect({ status, code: body.error.code }).toEqual({ status: 404, code: 'not_found' });
      }
    }
    const page = await gateway.as(other, `/runs?after=${runId}`);
    expect(page.body.items).toEqual([]);
    expect((await gateway.as(token, `/runs/${runId}`)).body.status).toBe('running');
    letGo(gateway.runsDir);
    expect((await gateway.ended(token, runId)).outcome).toBe('completed');
  });
});

describe('an app that is revoked', () => {
  test('has its waiting runs cancelled; the one under way ends its own way', async () => {
    await using gateway = await startCheckedGateway(oneAtATime);
    const token = await gateway.mint('app');
    await gateway.submit(token, { prompt: waitForGo });
    await untilHeld(gateway.runsDir, 1);
    await gateway.submit(token, { prompt: 'waits' });
    await gateway.admin('/admin/tokens/app', undefined, 'DELETE');
    await expect.poll(async () => (await gateway.audit('?action=run')).length).toBe(1);
    letGo(gateway.runsDir);
    await expect.poll(async () => (await gateway.audit('?action=run')).length).toBe(2);
    const rows = await gateway.audit('?action=run');
    expect(rows.map(({ outcome }) => outcome)).toEqual(['completed', 'cancelled']);
    expect(rows[1].details.message).toContain('revoked');
    expect((await gateway.as(token, '/runs')).status).toBe(401);
  });
});
