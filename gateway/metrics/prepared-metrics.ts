// Processes that were started ahead of their runs: how many wait, and how often a run found one.
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import { missReasons } from '../runs/prepared-runs.ts';
import type { PreparedRuns, TakeResult } from '../runs/prepared-runs.ts';

/** Gives what is to be called for each run that looks for one. */
export function createPreparedMetrics(registry: Registry): (result: TakeResult) => void {
  const registers = [registry];
  const hits = new Counter({
    name: 'gatehouse_prepared_hits_total',
    help: 'Runs that were done in a process which had been started ahead.',
    registers,
  });
  const misses = new Counter({
    name: 'gatehouse_prepared_misses_total',
    help: 'Runs that started a process of their own, by reason: off, empty (none was ready), other_profile (limits of their own).',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of missReasons) misses.inc({ reason }, 0);
  return (result) => {
    if (result === 'hit') hits.inc();
    else misses.inc({ reason: result });
  };
}

export function watchPrepared(registry: Registry, prepared: Pick<PreparedRuns, 'idleCount'>): void {
  const idle: Gauge = new Gauge({
    name: 'gatehouse_prepared_runs',
    help: 'Processes that were started ahead and wait for a run.',
    registers: [registry],
    collect: () => idle.set(prepared.idleCount()),
  });
}
