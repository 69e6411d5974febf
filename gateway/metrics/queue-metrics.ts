// Who waits and who runs at this moment, and what keeps others from starting.
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { RunQueue } from '../queue/run-queue.ts';
import type { StartRoom } from '../queue/start-room.ts';
import { countSandboxes } from '../sandbox/sandboxed-process.ts';
import type { CensusStore } from './census-store.ts';

const states = ['queued', 'starting', 'running'] as const;

export type QueueMetricSources = {
  queue: Pick<RunQueue, 'counts'>;
  room: Pick<StartRoom, 'lacks'>;
  census: Pick<CensusStore, 'runsUnderWay' | 'appName'>;
};

export function watchQueue(registry: Registry, { queue, room, census }: QueueMetricSources): void {
  const registers = [registry];
  const counted = createOpenRuns(queue, census);
  const runs: Gauge<'app' | 'state'> = new Gauge({
    name: 'gatehouse_open_runs',
    help: 'Runs that have not ended, by app and state: queued, starting, running.',
    labelNames: ['app', 'state'],
    registers,
    collect() {
      for (const { app, state, count } of counted()) runs.set({ app, state }, count);
    },
  });
  const oldest: Gauge = new Gauge({
    name: 'gatehouse_queue_oldest_seconds',
    help: 'How long the run that has waited longest has been waiting for its turn; 0 when none waits.',
    registers,
    collect: () => oldest.set((queue.counts().oldestWaitingMs ?? 0) / 1000),
  });
  const missing: Gauge<'resource'> = new Gauge({
    name: 'gatehouse_room_missing',
    help: '1 while too little memory or disk is free for another run to start.',
    labelNames: ['resource'],
    registers,
    collect() {
      const { memory, disk } = room.lacks();
      missing.set({ resource: 'memory' }, memory ? 1 : 0);
      missing.set({ resource: 'disk' }, disk ? 1 : 0);
    },
  });
  const sandboxes: Gauge = new Gauge({
    name: 'gatehouse_sandboxes',
    help: 'Sandboxes that are alive; each holds one claude, or a check of the gateway.',
    registers,
    collect: () => sandboxes.set(countSandboxes()),
  });
}

type OpenRuns = { app: string; state: (typeof states)[number]; count: number };

/** An app that has had open runs is told with 0 from then on: a line that ends is not a line at 0. */
function createOpenRuns(
  queue: Pick<RunQueue, 'counts'>,
  census: QueueMetricSources['census'],
): () => OpenRuns[] {
  const seen = new Set<string>();
  return () => {
    const counts = new Map<string, OpenRuns>();
    const add = (app: string, state: OpenRuns['state'], count: number): void => {
      seen.add(app);
      const key = `${app} ${state}`;
      counts.set(key, { app, state, count: count + (counts.get(key)?.count ?? 0) });
    };
    for (const [appId, count] of queue.counts().waitingByApp) {
      add(census.appName(appId), 'queued', count);
    }
    for (const { app, state, runs } of census.runsUnderWay()) add(app, state, runs);
    for (const app of seen) for (const state of states) add(app, state, 0);
    return [...counts.values()];
  };
}
