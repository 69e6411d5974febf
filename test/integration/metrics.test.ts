// What /metrics says of a gateway at work.
import { describe, expect, test } from 'vitest';

import { systemClock } from '#shared/clock.ts';

import { startGatewayProcess } from '../support/gateway-process.ts';
import { startCheckedGateway } from '../support/leak-check.ts';
import { readMetrics } from '../support/metric-samples.ts';
import { letGo, untilHeld, waitForGo } from '../support/run-latch.ts';
import { startTestGateway } from '../support/test-gateway.ts';
import { upload } from '../support/upload-form.ts';

const patiently = { timeout: 15_000 };

describe('the metrics of runs', () => {
  test('count them by app, outcome and the model that answered, with what they spent', async () => {
    await using gateway = await startCheckedGateway();
    const [one, two] = [await gateway.mint('one'), await gateway.mint('two')];
    await gateway.run(one, { prompt: 'hello', model: 'haiku' });
    await gateway.run(one, { prompt: 'hello', model: 'haiku' });
    await gateway.run(two, { prompt: '@@error 500', model: 'claude-some-other' });
    const { value } = await readMetrics(gateway);
    const completed = { app: 'one', outcome: 'completed', model: 'haiku' };
    expect(value('gatehouse_runs_total', completed)).toBe(2);
    const failed = { app: 'two', outcome: 'upstream_error', model: 'none' };
    expect(value('gatehouse_runs_total', failed)).toBe(1);
    expect(value('gatehouse_spend_usd_total', { app: 'one' })).toBeCloseTo(0.0008, 9);
    expect(value('gatehouse_tokens_total', { app: 'one', direction: 'input' })).toBe(200);
    expect(value('gatehouse_tokens_total', { app: 'one', direction: 'output' })).toBe(40);
  });

  test('hold the same times as the line in the log', async () => {
    await using gateway = await startCheckedGateway();
    await gateway.run(await gateway.mint('app'), { prompt: '@@sleep 20\nhello' });
    const [line] = gateway.logged().filter(({ msg }) => msg === 'run ended');
    const { value } = await readMetrics(gateway);
    const sum = (phase: string) => value('gatehouse_run_phase_seconds_sum', { phase });
    expect({
      queue_ms: sum('queue'),
      prepare_ms: sum('prepare'),
      bind_ms: sum('bind'),
      first_token_ms: sum('first_token'),
      duration_ms: sum('total'),
    }).toEqual({
      queue_ms: Number(line?.['queue_ms']) / 1000,
      prepare_ms: Number(line?.['prepare_ms']) / 1000,
      bind_ms: Number(line?.['bind_ms']) / 1000,
      first_token_ms: Number(line?.['first_token_ms']) / 1000,
      duration_ms: Number(line?.['duration_ms']) / 1000,
    });
    const count = { phase: 'total' };
    expect(value('gatehouse_run_phase_seconds_count', count)).toBe(1);
    const bucket = (le: string) =>
      value('gatehouse_run_phase_seconds_bucket', { phase: 'total', le });
    expect(bucket('0.005')).toBe(0);
    expect(bucket('3600')).toBe(1);
  });

  test('begin at 0 with the process', async () => {
    await using first = await startTestGateway({ keep: true });
    await first.run(await first.mint('app'), { prompt: 'hello' });
    await first.close();
    await using next = await startTestGateway({ dataDir: first.dataDir });
    const { all } = await readMetrics(next);
    expect(all.filter(({ name }) => name === 'gatehouse_runs_total')).toEqual([]);
  });
});

test('the metrics of the queue say who waits, who runs and how long the first has waited', async () => {
  await using gateway = await startCheckedGateway({ env: { GATEWAY_CONCURRENCY: '1' } });
  const [one, two] = [await gateway.mint('one'), await gateway.mint('two')];
  const held = gateway.run(one, { prompt: `${waitForGo}\nheld` });
  await untilHeld(gateway.runsDir, 1);
  const waiting = [one, two, two].map((token) => gateway.run(token, { prompt: 'waits' }));
  await expect.poll(() => gateway.gateway.engine.queue.counts().waiting, patiently).toBe(3);

  const busy = await readMetrics(gateway);
  const openRuns = (app: string, state: string) =>
    busy.value('gatehouse_open_runs', { app, state });
  expect(openRuns('one', 'running')).toBe(1);
  expect(openRuns('one', 'starting')).toBe(0);
  expect(openRuns('one', 'queued')).toBe(1);
  expect(openRuns('two', 'queued')).toBe(2);
  expect(openRuns('two', 'running')).toBe(0);
  expect(busy.value('gatehouse_queue_oldest_seconds')).toBeGreaterThan(0);
  expect(busy.value('gatehouse_sandboxes')).toBe(1);

  letGo(gateway.runsDir);
  await Promise.all([held, ...waiting]);
  const { all, value } = await readMetrics(gateway);
  const open = all.filter(({ name }) => name === 'gatehouse_open_runs');
  expect(open).toHaveLength(6);
  expect(open.filter((sample) => sample.value !== 0)).toEqual([]);
  expect(value('gatehouse_queue_oldest_seconds')).toBe(0);
});

test('the metrics say what is missing for another run to start', async () => {
  let free: number | null = 0;
  await using gateway = await startTestGateway({ freeMemoryBytes: () => free });
  const missing = async (resource: string) =>
    (await readMetrics(gateway)).value('gatehouse_room_missing', { resource });
  expect(await missing('memory')).toBe(1);
  expect(await missing('disk')).toBe(0);
  free = null;
  expect(await missing('memory')).toBe(0);
});

test('the metrics follow the sign-in: refused, to be tried again, good', async () => {
  const passed = { ms: 0 };
  const clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + passed.ms };
  await using gateway = await startCheckedGateway({ clock, env: { AUTH_RETRY_SECS: '600' } });
  const token = await gateway.mint('app');
  const states = async () => {
    const { all } = await readMetrics(gateway);
    const samples = all.filter(({ name }) => name === 'gatehouse_sign_in_breaker');
    return Object.fromEntries(samples.map(({ labels, value }) => [labels['state'], value]));
  };
  expect(await states()).toEqual({ closed: 1, open: 0, half_open: 0 });
  await gateway.run(token, { prompt: '@@error 401' });
  expect(await states()).toEqual({ closed: 0, open: 1, half_open: 0 });
  passed.ms = 600_000;
  expect(await states()).toEqual({ closed: 0, open: 0, half_open: 1 });
  await gateway.run(token, { prompt: 'hello' });
  expect(await states()).toEqual({ closed: 1, open: 0, half_open: 0 });
});

test('the metrics of what is kept know the database and the files', async () => {
  await using gateway = await startTestGateway();
  const token = await gateway.mint('app');
  expect((await readMetrics(gateway)).value('gatehouse_files')).toBe(0);
  await upload(gateway, token, 'twelve bytes');
  await upload(gateway, token, 'eight by');
  const { value } = await readMetrics(gateway);
  expect(value('gatehouse_files')).toBe(2);
  expect(value('gatehouse_files_bytes')).toBe(20);
  expect(value('gatehouse_database_bytes', { file: 'main' })).toBeGreaterThan(0);
  expect(value('gatehouse_database_bytes', { file: 'wal' })).toBeGreaterThan(0);
});

test('the metrics count who reads events at this moment', async () => {
  await using gateway = await startCheckedGateway();
  const authorization = `Bearer ${await gateway.mint('app')}`;
  const readers = async () => (await readMetrics(gateway)).value('gatehouse_event_readers');
  expect(await readers()).toBe(0);
  const streamed = fetch(`${gateway.url}/run`, {
    method: 'POST',
    headers: { authorization, accept: 'text/event-stream', 'content-type': 'application/json' },
    body: JSON.stringify({ prompt: `${waitForGo}\nheld` }),
  });
  await untilHeld(gateway.runsDir, 1);
  expect(await readers()).toBe(1);
  letGo(gateway.runsDir);
  await (await streamed).text();
  expect(await readers()).toBe(0);
});

describe('the metrics of requests', () => {
  test('count by the pattern of the route, never by what a client writes into its path', async () => {
    await using gateway = await startTestGateway();
    const headers = { authorization: `Bearer ${await gateway.mint('app')}` };
    await gateway.fetch('/livez');
    await gateway.fetch('/runs/run_one', { headers });
    await gateway.fetch('/runs/run_two', { headers });
    await gateway.fetch('/nobody/is/here');
    await gateway.fetch('/nor/here', { method: 'DELETE' });
    await gateway.fetch('/livez', { method: 'PROPFIND' });
    await expect
      .poll(async () => {
        const { all } = await readMetrics(gateway);
        return all
          .filter(({ name }) => name === 'gatehouse_http_requests_total')
          .map(({ labels, value }) => `${Object.values(labels).join(' ')} ${value}`)
          .filter((line) => !line.startsWith('/metrics'));
      }, patiently)
      .toEqual([
        '/admin/tokens POST 2xx 1',
        '/livez GET 2xx 1',
        '/runs/:run_id GET 4xx 2',
        'none GET 4xx 1',
        'none DELETE 4xx 1',
        'none other 4xx 1',
      ]);
  });

  test('count one whose client left before its answer', async () => {
    await using gateway = await startCheckedGateway();
    const token = await gateway.mint('app');
    const client = new AbortController();
    const answer = gateway.run(token, { prompt: waitForGo }, client.signal);
    await untilHeld(gateway.runsDir, 1);
    client.abort();
    await expect(answer).rejects.toThrow('aborted');
    const labels = { route: '/run', method: 'POST', status: 'aborted' };
    await expect
      .poll(
        async () => (await readMetrics(gateway)).value('gatehouse_http_requests_total', labels),
        patiently,
      )
      .toBe(1);
  });

  test('count what the door refused, by reason', async () => {
    await using gateway = await startTestGateway();
    const reasons = async () => {
      const { all } = await readMetrics(gateway);
      const samples = all.filter(({ name }) => name === 'gatehouse_door_refusals_total');
      return Object.fromEntries(samples.map(({ labels, value }) => [labels['reason'], value]));
    };
    const before = await reasons();
    expect(before).toMatchObject({ no_token: 0, wrong_token: 0, address: 0, host: 0 });
    await gateway.fetch('/runs');
    await gateway.fetch('/runs', { headers: { authorization: 'Bearer wrong' } });
    await gateway.fetch('/runs', { headers: { authorization: 'Bearer wrong' } });
    await gateway.fetch('/livez', { headers: { origin: 'http://evil.example' } });
    expect(await reasons()).toEqual({ ...before, no_token: 1, wrong_token: 2, origin: 1 });
  });
});

test('the metrics are the text that Prometheus reads, and tell of the process', async () => {
  await using gateway = await startTestGateway({ env: { METRICS_CIDRS: '127.0.0.1' } });
  const answer = await gateway.fetch('/metrics');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const { value } = await readMetrics(gateway);
  expect(value('process_resident_memory_bytes')).toBeGreaterThan(2 ** 20);
  expect(value('nodejs_eventloop_lag_p99_seconds')).toEqual(expect.any(Number));
});

test('the metrics can be read while the gateway stops, and show what it refuses', async () => {
  await using gateway = await startGatewayProcess();
  const token = await gateway.mint('app');
  const answer = gateway.run(token, { prompt: `${waitForGo}\nheld` });
  const runsDir = `${gateway.dataDir}/runs`;
  await untilHeld(runsDir, 1);
  gateway.child.kill('SIGTERM');
  await expect.poll(() => gateway.stdout(), patiently).toContain('"msg":"stopping"');
  expect((await gateway.run(token, { prompt: 'too late' })).status).toBe(503);
  const labels = { route: '/run', method: 'POST', status: '5xx' };
  await expect
    .poll(
      async () => (await readMetrics(gateway)).value('gatehouse_http_requests_total', labels),
      patiently,
    )
    .toBe(1);
  letGo(runsDir);
  expect((await answer).body.result).toBe('held');
  expect(await gateway.exited).toEqual([0, null]);
});
