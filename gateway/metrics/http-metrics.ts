// What is asked of the gateway and how it is answered: requests, refusals at the door, readers of events.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

import type { EventFeed } from '#shared/event-feed.ts';

import { refusalReasons } from '../access/refusal-reasons.ts';
import type { RefusalReason } from '../access/refusal-reasons.ts';

export type HttpMetrics = {
  observe: (request: FastifyRequest, reply: FastifyReply) => void;
  refused: (reason: RefusalReason) => void;
};

/** Others are anybody's invention. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  const requests = new Counter({
    name: 'gatehouse_http_requests_total',
    help: 'Requests that are over, by route (none where there is none), method and class of status (aborted: the client left before its answer).',
    labelNames: ['route', 'method', 'status'],
    registers,
  });
  const refusals = new Counter({
    name: 'gatehouse_door_refusals_total',
    help: 'Requests that the door refused, by reason; the log has one line for each.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of refusalReasons) refusals.inc({ reason }, 0);

  return {
    observe(request, { raw }) {
      // Comes also when the client goes away, which no hook of Fastify's is told.
      raw.once('close', () => {
        const route = request.routeOptions.url ?? 'none';
        const method = methods.has(request.method) ? request.method : 'other';
        const status = raw.headersSent ? `${Math.floor(raw.statusCode / 100)}xx` : 'aborted';
        requests.inc({ route, method, status });
      });
    },
    refused: (reason) => refusals.inc({ reason }),
  };
}

export function watchReaders(registry: Registry, feed: Pick<EventFeed, 'count'>): void {
  const readers: Gauge = new Gauge({
    name: 'gatehouse_event_readers',
    help: 'Clients that read the events of a run at this moment.',
    registers: [registry],
    collect: () => readers.set(feed.count()),
  });
}
