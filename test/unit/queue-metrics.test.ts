import { Registry } from 'prom-client';
import { expect, test } from 'vitest';

import type { CensusStore } from '../../gateway/metrics/census-store.ts';
import { watchQueue } from '../../gateway/metrics/queue-metrics.ts';
import { parseMetrics } from '../support/metric-samples.ts';

test('the open runs of an app that was revoked and made again are those of one name', async () => {
  const waitingByApp = new Map([
    [1, 3],
    [2, 4],
  ]);
  const census: CensusStore = {
    runsUnderWay: () => [{ app: 'again', state: 'running', runs: 2 }],
    files: () => ({ files: 0, bytes: 0 }),
    sessions: () => 0,
    appName: () => 'again',
  };
  const registry = new Registry();
  watchQueue(registry, {
    queue: {
      counts: () => ({ running: 2, waiting: 7, oldestWaitingMs: 1500, idleMs: 0, waitingByApp }),
    },
    room: { lacks: () => ({ memory: false, disk: true }) },
    census,
  });
  const { value } = parseMetrics(await registry.metrics());
  const openRuns = (state: string) => value('gatehouse_open_runs', { app: 'again', state });
  expect(['queued', 'starting', 'running'].map(openRuns)).toEqual([7, 0, 2]);
  expect(value('gatehouse_queue_oldest_seconds')).toBe(1.5);
  expect(value('gatehouse_room_missing', { resource: 'disk' })).toBe(1);
  expect(value('gatehouse_room_missing', { resource: 'memory' })).toBe(0);
});
