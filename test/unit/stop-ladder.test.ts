import { describe, expect, test } from 'vitest';

import { climbDown } from '../../gateway/runs/stop-ladder.ts';
import type { StopReason } from '../../gateway/runs/verdict.ts';
import { createManualClock } from '../support/manual-clock.ts';

async function climb(reason: StopReason | 'at_once', options: { goneAfterMs?: number } = {}) {
  const clock = createManualClock();
  const gone = new AbortController();
  const steps: string[] = [];
  const step = (name: string) => () => void steps.push(`${clock.monotonicMs()} ${name}`);
  const claude = {
    interrupt: step('interrupt'),
    finish: step('finish'),
    terminate: step('terminate'),
    kill: step('kill'),
  };
  const down = climbDown(claude, reason, clock, gone.signal);
  await clock.advance(options.goneAfterMs ?? 10_000);
  gone.abort();
  await clock.advance(10_000);
  await down;
  return { steps, sleepers: clock.sleepers() };
}

describe('a run that', () => {
  test.each<StopReason>(['timeout_start', 'timeout_idle', 'timeout_total'])(
    'is over its %s may still write down what it spent',
    async (reason) => {
      const { steps } = await climb(reason);
      expect(steps).toEqual(['0 interrupt', '0 finish', '1000 terminate', '5000 kill']);
    },
  );

  test.each<StopReason>([
    'client_gone',
    'cancelled',
    'interrupted',
    'rate_limited',
    'overloaded',
    'upstream_error',
  ])('nobody waits for is gone within a second: %s', async (reason) => {
    const { steps } = await climb(reason);
    expect(steps).toEqual(['0 interrupt', '0 finish', '300 kill']);
  });

  test.each<StopReason | 'at_once'>(['output_too_large', 'disk_full', 'at_once'])(
    'does harm or has answered is killed at once: %s',
    async (reason) => {
      const { steps } = await climb(reason);
      expect(steps).toEqual(['0 kill']);
    },
  );

  test('goes by itself is not told any more', async () => {
    const { steps, sleepers } = await climb('timeout_total', { goneAfterMs: 1500 });
    expect(steps).toEqual(['0 interrupt', '0 finish', '1000 terminate']);
    expect(sleepers).toBe(0);
  });
});
