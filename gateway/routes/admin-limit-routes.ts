// The windows of the subscription, for the operator.
import { LimitList } from '#shared/gateway-limit-api.ts';
import type { HttpApp } from '#shared/http-server.ts';

import { viewLimits } from '../limits/limit-view.ts';
import type { StartGate } from '../limits/start-gate.ts';

export type AdminLimitRouteOptions = { gate: Pick<StartGate, 'parking' | 'windows'> };

export async function adminLimitRoutes(
  app: HttpApp,
  { gate }: AdminLimitRouteOptions,
): Promise<void> {
  app.get(
    '/admin/limits',
    { config: { guard: 'admin' }, schema: { response: { 200: LimitList } } },
    (_request, reply) => {
      const { windows: items, parked } = viewLimits(gate);
      void reply.send({ items, next: null, parked });
    },
  );
}
