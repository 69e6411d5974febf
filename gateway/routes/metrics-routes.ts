import { Type } from 'typebox';

import type { HttpApp } from '#shared/http-server.ts';

import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';

const MetricsText = Type.String({
  description: 'the text format of Prometheus, version 0.0.4',
  examples: ['# TYPE gatehouse_queue_oldest_seconds gauge\ngatehouse_queue_oldest_seconds 0\n'],
});
const MetricsAnswer = { content: { 'text/plain': { schema: MetricsText } } };

export type MetricsRouteOptions = { metrics: Pick<GatewayMetrics, 'contentType' | 'read'> };

export async function metricsRoutes(app: HttpApp, { metrics }: MetricsRouteOptions): Promise<void> {
  app.get(
    '/metrics',
    { config: { guard: 'metrics' }, schema: { response: { 200: MetricsAnswer } } },
    async (_request, reply) => {
      const text = await metrics.read();
      return reply.header('content-type', metrics.contentType).send(text);
    },
  );
}
