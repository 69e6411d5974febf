// The live readers of runs, fed from the run_events table.
import type { Clock } from '#shared/clock.ts';
import { createEventFeed } from '#shared/event-feed.ts';
import type { EventFeed } from '#shared/event-feed.ts';
import { isLastRunEvent } from '#shared/gateway-event-api.ts';
import type { Log } from '#shared/log.ts';

import type { RunEventStore } from './run-event-store.ts';

const eventsPerRead = 200;
const bytesPerRead = 128 * 2 ** 10;

export function createRunEventFeed(store: RunEventStore, clock: Clock, log: Log): EventFeed {
  return createEventFeed({
    read: (runSeq, after) => store.after(runSeq, after, eventsPerRead, bytesPerRead),
    isLast: ({ type }) => isLastRunEvent(type),
    onDropped: ({ after }, reason) =>
      log.warn({ reason, last_event: after }, 'event reader dropped'),
    onFailure: (err) => log.error({ err }, 'events could not be read'),
    clock,
  });
}
