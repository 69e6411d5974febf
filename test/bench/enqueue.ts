// What it costs to accept a run for later: rows, event and audit draft on disk, against a bare Fastify that says hello.
import { readFile } from 'node:fs/promises';

import { Pool } from 'undici';

import { startNode } from '../support/child-script.ts';
import { startBenchGateway } from './bench-gateway.ts';
import { interleave } from './interleave.ts';
import { median } from './statistics.ts';
import { ratioRow } from './table.ts';
import type { Row } from './table.ts';

const connections = 64;
const rounds = 15;
/** A gateway takes some ten thousand runs until its code is as fast as it gets; hello needs a tenth of that. */
const warmUp = 10;
const roundMs = 350;
const payload = JSON.stringify({ prompt: 'Name three uses of a gatehouse.' });

/** The one place is taken for the whole time, so that everything waits. */
const environment = {
  GATEWAY_CONCURRENCY: '1',
  RUN_QUEUE_LIMIT: '100000',
  RUN_QUEUE_LIMIT_PER_APP: '100000',
  RUN_IDLE_SECS: '600',
};

export async function measureEnqueue(): Promise<Row[]> {
  return [await measureThroughput(), ...(await measureLongQueue())];
}

async function measureThroughput(): Promise<Row> {
  await using opened = new AsyncDisposableStack();
  const hello = opened.use(startNode(['test/bench/hello-server.ts']));
  const gateway = opened.use(await startBenchGateway(environment));
  const helloUrl = await hello.said('http://');
  const connect = (url: string): Pool =>
    opened.adopt(new Pool(url, { connections, pipelining: 1 }), (pool) => pool.close());
  const helloPool = connect(helloUrl);
  const gatewayPool = connect(gateway.process.url);
  await occupy(gatewayPool, gateway.token);
  const samples = await interleave(
    {
      hello: () => requestsPerSecond(() => get(helloPool)),
      enqueue: () => requestsPerSecond(() => post(gatewayPool, gateway.token)),
    },
    { rounds, warmUp },
  );
  const medians = { ours: median(samples.enqueue), baseline: median(samples.hello) };
  return {
    ...ratioRow('POST /runs, stored, against bare Fastify', medians, { atLeast: 0.3 }),
    ours: `${medians.ours.toFixed(0)} req/s`,
    baseline: `${medians.baseline.toFixed(0)} req/s`,
    samples: rounds,
    phases: [],
  };
}

const longQueue = 10_000;
const enqueueMsMax = 20;
const grownMbMax = 60;

/** How much ten thousand waiting runs weigh, how long accepting one of them takes, and whether apps still take turns. */
async function measureLongQueue(): Promise<Row[]> {
  await using gateway = await startBenchGateway(environment);
  const { pid, exitCode } = gateway.process.child;
  if (exitCode !== null) throw new Error('the gateway has ended');
  const other = await gateway.process.mint('other');
  await using pool = closing(new Pool(gateway.process.url, { connections: 8, pipelining: 1 }));
  await occupy(pool.pool, gateway.token);
  // What a gateway takes that has just begun to work is not the queue's.
  await Promise.all(repeat(200, () => post(pool.pool, gateway.token)));
  const before = await residentMb(pid);
  const tookMs: number[] = [];
  let left = longQueue;
  const loop = async (): Promise<void> => {
    for (; left > 0; left -= 1) {
      const startedAt = performance.now();
      await post(pool.pool, gateway.token);
      tookMs.push(performance.now() - startedAt);
    }
  };
  await Promise.all(repeat(8, loop));
  const after = await residentMb(pid);
  const position = await positionOf(pool.pool, other);
  const p99 = tookMs.toSorted((a, b) => a - b)[Math.floor(tookMs.length * 0.99)] ?? 0;
  const grownMb = after - before;
  const common = { samples: tookMs.length, phases: [] };
  return [
    {
      ...common,
      name: `memory of ${longQueue} waiting runs`,
      measured: `+${grownMb.toFixed(0)} MB`,
      target: `< ${grownMbMax} MB`,
      isMet: grownMb < grownMbMax,
      ours: `${after.toFixed(0)} MB`,
      baseline: `${before.toFixed(0)} MB`,
    },
    {
      ...common,
      name: `POST /runs onto them, c=8, p99`,
      measured: `${p99.toFixed(1)} ms`,
      target: `< ${enqueueMsMax} ms`,
      isMet: p99 < enqueueMsMax,
      ours: `median ${median(tookMs).toFixed(1)} ms`,
      baseline: '',
    },
    {
      ...common,
      name: 'place of the first run of another app behind them',
      measured: String(position),
      target: '1',
      isMet: position === 1,
      ours: '',
      baseline: '',
    },
  ];
}

async function occupy(pool: Pool, token: string): Promise<void> {
  const { body } = await pool.request({
    ...{ path: '/runs', method: 'POST', headers: headersOf(token) },
    body: JSON.stringify({ prompt: '@@init-then-silence', timeout_secs: 3600 }),
  });
  await body.dump();
}

async function positionOf(pool: Pool, token: string): Promise<number> {
  const headers = headersOf(token);
  const { body } = await pool.request({ path: '/runs', method: 'POST', headers, body: payload });
  const answer = (await body.json()) as { queue_position: number };
  return answer.queue_position;
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
}

async function get(pool: Pool): Promise<void> {
  const { statusCode, body } = await pool.request({ path: '/bench', method: 'GET' });
  if (statusCode !== 200) throw new Error(`hello answered ${statusCode}`);
  await body.dump();
}

async function post(pool: Pool, token: string): Promise<void> {
  const headers = headersOf(token);
  const { statusCode, body } = await pool.request({
    ...{ path: '/runs', method: 'POST', headers, body: payload },
  });
  if (statusCode !== 202)
    throw new Error(`POST /runs answered ${statusCode}: ${await body.text()}`);
  await body.dump();
}

async function requestsPerSecond(ask: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  const endsAt = startedAt + roundMs;
  let answered = 0;
  const loop = async (): Promise<void> => {
    for (; performance.now() < endsAt; answered += 1) await ask();
  };
  await Promise.all(repeat(connections, loop));
  return (answered * 1000) / (performance.now() - startedAt);
}

function repeat(count: number, act: () => Promise<void>): Promise<void>[] {
  return Array.from({ length: count }, act);
}

function closing(pool: Pool): AsyncDisposable & { pool: Pool } {
  return { pool, [Symbol.asyncDispose]: () => pool.destroy() };
}

async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
}
