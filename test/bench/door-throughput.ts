// Requests per second through the whole door, against a bare Fastify that says hello.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Pool } from 'undici';

import { startNode } from '../support/child-script.ts';
import { interleave } from './interleave.ts';
import { median } from './statistics.ts';
import { ratioRow } from './table.ts';
import type { Row } from './table.ts';

const connections = 32;
const rounds = 15;
const roundMs = 500;

export async function measureDoorThroughput(): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const dataDir = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  opened.defer(() => rm(dataDir, { recursive: true, force: true }));
  const hello = opened.use(startNode(['test/bench/hello-server.ts']));
  const door = opened.use(startNode(['test/bench/door-server.ts'], { GATEWAY_DATA_DIR: dataDir }));
  const helloUrl = await hello.said('http://');
  const [doorUrl = '', token = ''] = (await door.said('http://')).split(' ');
  const connect = (url: string): Pool =>
    opened.adopt(new Pool(url, { connections, pipelining: 1 }), (pool) => pool.close());
  const helloPool = connect(helloUrl);
  const doorPool = connect(doorUrl);
  const samples = await interleave(
    {
      hello: () => requestsPerSecond(helloPool, '/bench', token),
      app: () => requestsPerSecond(doorPool, '/bench', token),
    },
    { rounds, warmUp: 3 },
  );
  const medians = { ours: median(samples.app), baseline: median(samples.hello) };
  return [
    {
      ...ratioRow('authenticated route against bare Fastify', medians, { atLeast: 0.6 }),
      ours: `${medians.ours.toFixed(0)} req/s`,
      baseline: `${medians.baseline.toFixed(0)} req/s`,
      samples: rounds,
      phases: [],
    },
  ];
}

async function requestsPerSecond(pool: Pool, path: string, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const startedAt = performance.now();
  const endsAt = startedAt + roundMs;
  let answered = 0;
  const loop = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const { statusCode, body } = await pool.request({ path, method: 'GET', headers });
      if (statusCode !== 200) throw new Error(`${path} answered ${statusCode}`);
      await body.dump();
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, loop));
  return (answered * 1000) / (performance.now() - startedAt);
}
