// Conversations: how many there are, and how many have a process that is kept for their next run.
import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { LiveSessions } from '../sessions/live-sessions.ts';
import type { CensusStore } from './census-store.ts';

export type SessionMetricSources = {
  census: Pick<CensusStore, 'sessions'>;
  live: Pick<LiveSessions, 'count'>;
};

export function watchSessions(registry: Registry, { census, live }: SessionMetricSources): void {
  const registers = [registry];
  const open: Gauge = new Gauge({
    name: 'gatehouse_sessions',
    help: 'Sessions that have not ended.',
    registers,
    collect: () => open.set(census.sessions()),
  });
  const kept: Gauge = new Gauge({
    name: 'gatehouse_live_sessions',
    help: 'Processes that are kept for the next run of their session.',
    registers,
    collect: () => kept.set(live.count()),
  });
}
