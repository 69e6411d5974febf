// How long the gateway keeps others waiting: it answers GET /livez as soon as its event loop turns.
import { setTimeout as sleepFor } from 'node:timers/promises';

import { request } from 'undici';

/** Milliseconds of each answer, one after the other. Without a pause they are a load of their own. */
export async function pingUntil(stopped: AbortSignal, url: string, pauseMs = 0): Promise<number[]> {
  const latencies: number[] = [];
  while (!stopped.aborted) {
    const startedAt = performance.now();
    await (await request(`${url}/livez`)).body.dump();
    latencies.push(performance.now() - startedAt);
    if (pauseMs > 0) await sleepFor(pauseMs);
  }
  return latencies;
}
