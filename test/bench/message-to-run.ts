// From a message that is posted to the run that the gateway has accepted for it: by the stream, and by polling alone.
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../support/started-set.ts';
import { eventually, percentile, startBenchSet } from './bench-set.ts';
import type { BenchSet } from './bench-set.ts';
import { startStubProcess } from './stub-process.ts';
import type { Row } from './table.ts';

const streamMessages = 40;
const pollMessages = 15;

export async function realSetEnvironment(modelUrl: string): Promise<Record<string, string>> {
  return {
    ...{ GATEWAY_PORT: await freePort(), VAULT_PORT: await freePort(), WATCHER_HEALTH_PORT: '0' },
    ...{ ANTHROPIC_API_KEY: 'not-a-real-key', ANTHROPIC_BASE_URL: modelUrl, SANDBOX: 'require' },
  };
}

export async function measureMessageToRun(): Promise<Row[]> {
  await using model = await startStubProcess();
  const rows: Row[] = [];
  for (const [how, more, count, targetMs] of [
    ['by the stream', {}, streamMessages, 100],
    ['by polling alone', { WATCHER_PUSH: 'false' }, pollMessages, 2200],
  ] as const) {
    await using set = await startBenchSet({ ...(await realSetEnvironment(model.url)), ...more });
    const samples = await measure(set, count);
    const p50 = percentile(samples, 0.5);
    rows.push({
      name: `message posted -> run accepted, ${how}, p50`,
      ...{ measured: `${p50.toFixed(0)} ms`, target: `≤ ${targetMs} ms`, isMet: p50 <= targetMs },
      ours: `p95 ${percentile(samples, 0.95).toFixed(0)} ms, min ${Math.min(...samples)} ms`,
      ...{ baseline: '', samples: samples.length, phases: [] },
    });
  }
  return rows;
}

/** From before the request to when the gateway wrote the run down, on one clock. */
async function measure(set: BenchSet, count: number): Promise<number[]> {
  await answered(set, await set.say('the first one makes the session'));
  const samples: number[] = [];
  for (let index = 0; index < count; index += 1) {
    // Not in step with the polls.
    await sleep(150 * (index % 14));
    const startedAt = Date.now();
    const eventId = await set.say(`message ${index}`);
    const run = await eventually(async () =>
      (await set.runs()).find(({ event }) => event === eventId),
    );
    samples.push(run.createdAt - startedAt);
    await answered(set, eventId);
  }
  return samples;
}

export function answered(set: BenchSet, eventId: string) {
  return eventually(async () =>
    (await set.events()).find(
      ({ reply_to: to, event_type: type }) => to === eventId && type === 'assistant_message',
    ),
  );
}
