// A thousand readers of one feed at fifty events a second: whether each gets everything, and how long the event loop is held up.
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { vaultDatabases } from '../support/vault-databases.ts';
import type { VaultDatabase } from '../support/vault-databases.ts';
import { openPool, startBenchVault } from './bench-vault.ts';
import type { BenchVault } from './bench-vault.ts';
import type { Row } from './table.ts';

const readers = 1000;
const eventsPerSecond = 50;
const seconds = 10;
const lagMsMax = 20;
const settleMs = 3000;

export async function measureVaultFanOut(): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of vaultDatabases) rows.push(...(await measureOn(kind)));
  return rows;
}

async function measureOn(kind: VaultDatabase): Promise<Row[]> {
  await using vault = await startBenchVault(kind);
  await using pool = openPool(vault.url, 4);
  const [agentId = ''] = vault.agentIds;
  const post = () =>
    vault.ask(pool, {
      path: `/agents/${agentId}/events`,
      body: { event_type: 'user_message', content: 'Name three uses of a gatehouse.' },
    });
  for (let count = 0; count < 200; count += 1) await post();
  const all = Array.from({ length: readers }, () => read(vault, agentId));
  await Promise.all(all.map(({ begun }) => begun));
  await sleep(settleMs);
  await vault.lagMs();
  await sleep(1000);
  const idle = await vault.lagMs();
  const events = eventsPerSecond * seconds;
  const posted: Promise<unknown>[] = [];
  const startedAt = performance.now();
  for (let count = 0; count < events; count += 1) {
    await sleep(Math.max(0, startedAt + (count * 1000) / eventsPerSecond - performance.now()));
    posted.push(post());
  }
  await Promise.all(posted);
  const tookSecs = (performance.now() - startedAt) / 1000;
  await sleep(1000);
  const lag = await vault.lagMs();
  const served = all.filter(({ count }) => count() === events).length;
  for (const { close } of all) close();
  const common = { samples: readers, phases: [] };
  return [
    {
      ...common,
      name: `${kind}: ${readers} readers, ${eventsPerSecond} events/s: have everything`,
      measured: String(served),
      target: String(readers),
      isMet: served === readers,
      ours: `${events} events in ${tookSecs.toFixed(1)} s`,
      baseline: '',
    },
    {
      ...common,
      name: `${kind}: event-loop delay meanwhile, p99`,
      measured: `${lag.toFixed(1)} ms`,
      target: `< ${lagMsMax} ms`,
      isMet: lag < lagMsMax,
      ours: `${lag.toFixed(1)} ms`,
      baseline: `${idle.toFixed(1)} ms idle`,
    },
  ];
}

type Reader = { begun: Promise<void>; count: () => number; close: () => void };

/** As little as a reader can do: it counts. */
function read({ url, tokens }: BenchVault, agentId: string): Reader {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET /api/v1/agents/${agentId}/stream HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${tokens[0]}\r\nconnection: close\r\n\r\n`,
  );
  const { promise: begun, resolve, reject } = Promise.withResolvers<void>();
  let events = 0;
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const text = rest + chunk;
    events += text.split('\nevent: ').length - 1;
    if (text.includes('HTTP/1.1 200')) resolve();
    rest = text.slice(-8);
  });
  socket.on('error', () => {}).once('close', () => reject(new Error('a reader was not let in')));
  begun.catch(() => {});
  return { begun, count: () => events, close: () => socket.destroy() };
}
