import { AppSelf } from '#shared/gateway-app-api.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import { createUsageMemory, describeApp } from '../runs/app-self.ts';
import type { AppSelfParts } from '../runs/app-self.ts';

export type AppSelfRouteOptions = AppSelfParts & { door: Door };

export async function appSelfRoutes(
  app: HttpApp,
  { door, ...parts }: AppSelfRouteOptions,
): Promise<void> {
  const usage = createUsageMemory(parts);
  app.get(
    '/me',
    { config: { guard: 'app' }, schema: { response: { 200: AppSelf } } },
    (request, reply) => {
      const self = door.appOf(request);
      const known = { usageOf: usage, tokenExpiresAt: door.tokenEndOf(request) };
      void reply.send(describeApp(self, known, parts));
    },
  );
}
