// How the windows of the subscription stand, and whether the queue waits for one of them.
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { StartGate } from '../limits/start-gate.ts';

export type LimitMetricSources = { gate: Pick<StartGate, 'parking' | 'windows'> };

export function watchLimits(registry: Registry, { gate }: LimitMetricSources): void {
  const registers = [registry];
  const utilization: Gauge<'window'> = new Gauge({
    name: 'gatehouse_limit_utilization',
    help: 'How much of a window of the subscription is used, 1 is all; only while it is known.',
    labelNames: ['window'],
    registers,
    collect() {
      utilization.reset();
      for (const { name, utilization: used } of gate.windows()) {
        if (used !== null) utilization.set({ window: name }, used);
      }
    },
  });
  const resets: Gauge<'window'> = new Gauge({
    name: 'gatehouse_limit_reset_timestamp_seconds',
    help: 'When a window of the subscription begins anew, in seconds since 1970, as far as it was told.',
    labelNames: ['window'],
    registers,
    collect() {
      resets.reset();
      for (const { name, resetsAt } of gate.windows()) {
        if (resetsAt !== null) resets.set({ window: name }, resetsAt / 1000);
      }
    },
  });
  const parked: Gauge = new Gauge({
    name: 'gatehouse_queue_parked',
    help: '1 while runs wait because the subscription has reached a limit, until one has been answered again.',
    registers,
    collect: () => parked.set(gate.parking() === null ? 0 : 1),
  });
  const until: Gauge = new Gauge({
    name: 'gatehouse_queue_parked_until_timestamp_seconds',
    help: 'Until when the queue is parked, in seconds since 1970; 0 when it is not.',
    registers,
    collect: () => until.set((gate.parking()?.until ?? 0) / 1000),
  });
}
