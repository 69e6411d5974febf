// A gateway that may meet a limit of the subscription: its clock can be set on, and its processes are counted.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '#shared/clock.ts';

import { startCheckedGateway } from './leak-check.ts';
import { readMetrics } from './metric-samples.ts';
import type { TestGatewayOptions } from './test-gateway.ts';

/** What a run is answered that a limit refuses. */
export const limited = { status: 429, body: { error: { code: 'rate_limited', retryable: true } } };

export async function createLimitWorld(options: TestGatewayOptions = {}) {
  const passed = { ms: 0 };
  const clock = { ...systemClock, now: () => systemClock.now() + passed.ms };
  const gateway = await startCheckedGateway({ clock, ...options });
  const token = await gateway.mint('app');
  const log = join(gateway.dataDir, 'spawned');
  const logged = (prompt: string) => ({ prompt: `@@log ${log}\n${prompt}` });
  const { queue } = gateway.gateway.engine;
  return {
    ...{ gateway, token, passed },
    ask: (prompt: string) => gateway.run(token, logged(prompt)),
    submit: (prompt: string) => gateway.as(token, '/runs', { body: logged(prompt) }),
    /** How many runs had a process. */
    spawned: () =>
      existsSync(log) ? (readFileSync(log, 'utf8').match(/"start"/g) ?? []).length : 0,
    pass: (secs: number) => void (passed.ms += secs * 1000),
    now: clock.now,
    waiting: () => queue.counts().waiting,
    limits: async () => (await gateway.admin('/admin/limits')).body,
    queuePart: async () => {
      const { status, body } = await gateway.fetch('/readyz');
      return { status, ...body.parts.find((part: { name: string }) => part.name === 'queue') };
    },
    metrics: () => readMetrics(gateway),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}
