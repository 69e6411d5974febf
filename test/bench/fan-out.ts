// A thousand readers of one run at fifty events a second: whether each gets everything, and how long the event loop is held up.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { startBenchGateway } from './bench-gateway.ts';
import type { BenchGateway } from './bench-gateway.ts';
import type { Row } from './table.ts';

const readers = 1000;
const eventsPerSecond = 50;
const seconds = 10;
/** Each is two events: its text as it comes, then whole. */
const messages = (eventsPerSecond * seconds) / 2;
const lagMsMax = 20;

export async function measureFanOut(): Promise<Row[]> {
  await using gateway = await startBenchGateway({ RUN_IDLE_SECS: '600' });
  const answered = await gateway.process.as(gateway.token, '/runs', {
    // It begins when everybody is there.
    body: { prompt: `@@init\n@@sleep 8000\n@@say-many ${messages} ${2000 / eventsPerSecond}` },
  });
  const runId: string = answered.body.run_id;
  const idle = await lagMs(gateway);
  const open = Array.from({ length: readers }, () => read(gateway, runId));
  await sleep(6000);
  await lagMs(gateway);
  const events = await Promise.all(open.map(({ ended }) => ended));
  const lag = await lagMs(gateway);
  // With the beginning and the end of the run, and its last words.
  const expected = 2 * messages + 5;
  const served = events.filter((count) => count >= expected).length;
  const all = { samples: readers, phases: [] };
  return [
    {
      ...all,
      name: `${readers} readers, ${eventsPerSecond} events/s: have everything`,
      measured: String(served),
      target: String(readers),
      isMet: served === readers,
      ours: `${events.reduce((sum, count) => sum + count, 0)} events`,
      baseline: '',
    },
    {
      ...all,
      name: 'event-loop delay meanwhile, p99',
      measured: `${lag.toFixed(1)} ms`,
      target: `< ${lagMsMax} ms`,
      isMet: lag < lagMsMax,
      ours: `${lag.toFixed(1)} ms`,
      baseline: `${idle.toFixed(1)} ms idle`,
    },
  ];
}

/** Of the time since it was asked last. */
async function lagMs({ process: gateway }: BenchGateway): Promise<number> {
  const { text } = await gateway.admin('/metrics');
  return Number(/^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]) * 1000;
}

/** As little as a reader can do: it counts. */
function read(
  { process: gateway, token }: BenchGateway,
  runId: string,
): { ended: Promise<number> } {
  const { hostname, port } = new URL(gateway.url);
  const socket: Socket = connect(Number(port), hostname);
  socket.write(
    `GET /runs/${runId}/events HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
  );
  let events = 0;
  let rest = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    const text = rest + chunk;
    events += text.split('\nevent: ').length - 1;
    rest = text.slice(-8);
  });
  const ended = new Promise<number>((resolve) => {
    socket.on('error', () => {}).once('close', () => resolve(events));
  });
  return { ended };
}
