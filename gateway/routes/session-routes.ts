// Conversations: made, looked at, ended. Another app's session is as good as none.
import {
  SessionList,
  SessionListQuery,
  SessionParams,
  SessionRequest,
  SessionView,
} from '#shared/gateway-session-api.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import type { SessionRegistry } from '../sessions/session-registry.ts';

export type SessionRouteOptions = {
  sessions: SessionRegistry;
  door: Door;
  bodyLimitBytes: number;
};

export async function sessionRoutes(app: HttpApp, options: SessionRouteOptions): Promise<void> {
  const { sessions, door, bodyLimitBytes } = options;
  const config = { guard: 'app' } as const;

  app.post(
    '/sessions',
    {
      config,
      bodyLimit: bodyLimitBytes,
      schema: { body: SessionRequest, response: { 201: SessionView } },
    },
    async (request, reply) => {
      const address = door.addressOf(request);
      const view = await sessions.create(door.appOf(request), request.body, address);
      return reply.code(201).header('location', `/sessions/${view.session_id}`).send(view);
    },
  );
  app.get(
    '/sessions',
    { config, schema: { querystring: SessionListQuery, response: { 200: SessionList } } },
    async (request, reply) =>
      reply.send(await sessions.list(door.appOf(request).appId, request.query)),
  );
  app.get(
    '/sessions/:session_id',
    { config, schema: { params: SessionParams, response: { 200: SessionView } } },
    async (request, reply) => {
      const { appId } = door.appOf(request);
      return reply.send(await sessions.view(appId, request.params.session_id));
    },
  );
  app.delete(
    '/sessions/:session_id',
    { config, schema: { params: SessionParams } },
    async (request, reply) => {
      const { appId } = door.appOf(request);
      await sessions.end(appId, request.params.session_id, door.addressOf(request));
      return reply.code(204).send();
    },
  );
}
