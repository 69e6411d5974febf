// Everything that is measured, in one registry, as Prometheus reads it. Counters begin at 0 with the process.
import { collectDefaultMetrics, Registry } from 'prom-client';

import type { Database } from '#shared/database.ts';
import type { EventFeed } from '#shared/event-feed.ts';

import type { PreparedRuns, TakeResult } from '../runs/prepared-runs.ts';
import type { EndedRunFacts } from '../runs/run-settlement.ts';
import type { SignInBreaker } from '../runs/sign-in-breaker.ts';
import { createCensusStore } from './census-store.ts';
import { createHttpMetrics, watchReaders } from './http-metrics.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { watchLimits } from './limit-metrics.ts';
import type { LimitMetricSources } from './limit-metrics.ts';
import { createPreparedMetrics, watchPrepared } from './prepared-metrics.ts';
import { watchQueue } from './queue-metrics.ts';
import type { QueueMetricSources } from './queue-metrics.ts';
import { createRunMetrics } from './run-metrics.ts';
import { watchSessions } from './session-metrics.ts';
import type { SessionMetricSources } from './session-metrics.ts';
import { watchSignIn } from './sign-in-metrics.ts';
import { watchStores } from './store-metrics.ts';

export type GatewayMetrics = {
  runEnded: (facts: EndedRunFacts) => void;
  tookPrepared: (result: TakeResult) => void;
  http: HttpMetrics;
  /** What is looked up whenever somebody reads. */
  watch: (sources: MetricSources) => void;
  contentType: string;
  read: () => Promise<string>;
};

export type MetricSources = Omit<QueueMetricSources, 'census'> &
  LimitMetricSources & {
    breaker: Pick<SignInBreaker, 'state'>;
    feed: Pick<EventFeed, 'count'>;
    prepared: Pick<PreparedRuns, 'idleCount'>;
    sessions: { live: SessionMetricSources['live'] };
    db: Database;
  };

export function createGatewayMetrics(): GatewayMetrics {
  const registry = new Registry();
  const runEnded = createRunMetrics(registry);
  const tookPrepared = createPreparedMetrics(registry);
  const http = createHttpMetrics(registry);
  collectDefaultMetrics({ register: registry });
  return {
    runEnded,
    tookPrepared,
    http,
    watch({ queue, room, prepared, sessions, gate, breaker, feed, db }) {
      const census = createCensusStore(db);
      watchQueue(registry, { queue, room, census });
      watchPrepared(registry, prepared);
      watchSessions(registry, { census, live: sessions.live });
      watchStores(registry, { databasePath: db.name, census });
      watchSignIn(registry, breaker);
      watchLimits(registry, { gate });
      watchReaders(registry, feed);
    },
    contentType: registry.contentType,
    read: () => registry.metrics(),
  };
}
