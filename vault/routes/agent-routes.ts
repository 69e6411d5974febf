// Agents: made, listed, renamed, put in order, put away; how they are is reported by whoever answers for them.
import { Type } from 'typebox';

import { pageLimit } from '#shared/api-schema.ts';
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import type { HttpApp } from '#shared/http-server.ts';
import {
  AgentChange,
  AgentOrder,
  AgentOrderRequest,
  AgentParams,
  AgentRequest,
  AgentStatusRequest,
  AgentView,
  ListedAgent,
} from '#shared/vault-agent-api.ts';
import { Answer, answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';
import { ReadMarkRequest, ReadMarkView } from '#shared/vault-event-api.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import { agentView } from '../agents/agent-registry.ts';
import type { AgentRegistry } from '../agents/agent-registry.ts';
import { listAgents } from '../agents/agent-store.ts';
import type { AgentPlace } from '../agents/agent-store.ts';
import { markAsRead, withReading } from '../agents/reading.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import type { StreamNotices } from '../feeds/stream-notices.ts';
import { agentsOf } from '../permission/principal.ts';
import { invalidField } from '../vault-errors.ts';
import { versionCheck } from './if-match.ts';
import { etagOf } from './mutation.ts';
import type { Mutations } from './mutation.ts';

export type AgentRouteOptions = {
  realm: string;
  database: Pick<VaultDatabase, 'reads'>;
  agents: AgentRegistry;
  notices: StreamNotices;
  mutations: Mutations;
  door: VaultDoor;
  clock: Clock;
};

const AgentListQuery = Type.Object(
  {
    archived: Type.Boolean({ default: false, description: 'those that are put away' }),
    limit: pageLimit,
    after: Type.Optional(Type.String({ maxLength: 100 })),
  },
  { additionalProperties: false },
);

export async function agentRoutes(app: HttpApp, options: AgentRouteOptions): Promise<void> {
  const { realm, database, agents, notices, mutations, door, clock } = options;
  const reads = { access: 'agents:read' } as const;
  const writes = { access: 'agents:write' } as const;

  app.get(
    '/agents',
    {
      config: reads,
      schema: { querystring: AgentListQuery, response: { 200: PageAnswer(ListedAgent) } },
    },
    async (request, reply) => {
      const { archived: isArchived, limit, after } = request.query;
      const principal = door.principalOf(request);
      const agentIds = agentsOf(principal);
      const place = after === undefined ? null : readPlace(after);
      const found = await listAgents(
        database.reads,
        { realm, agentIds, isArchived },
        place,
        limit + 1,
      );
      const rows = found.slice(0, limit);
      const last = rows.at(-1);
      const next =
        found.length > limit && last !== undefined ? `${last.place}.${last.agentId}` : null;
      const items = await withReading(database.reads, rows, principal);
      return reply.send(pageAnswer(items, next));
    },
  );
  app.post(
    '/agents',
    { config: writes, schema: { body: AgentRequest, response: { 201: Answer(AgentView) } } },
    async (request, reply) =>
      mutations.run(request, reply, {
        action: 'agent.created',
        statusCode: 201,
        work: async (scope) => {
          const agent = await agents.create(scope, request.body);
          const headers = { location: `/api/v1/agents/${agent.agentId}` };
          const { agentId, name, version } = agent;
          return {
            data: agentView(agent),
            resource: `agent:${agentId}`,
            details: { name },
            version,
            headers,
          };
        },
      }),
  );
  app.get(
    '/agents/order',
    { config: reads, schema: { response: { 200: Answer(AgentOrder) } } },
    async (request, reply) => {
      const order = await agents.order(database.reads, agentsOf(door.principalOf(request)));
      return reply.header('etag', etagOf(order.version)).send(answer(order));
    },
  );
  app.put(
    '/agents/order',
    { config: writes, schema: { body: AgentOrderRequest, response: { 200: Answer(AgentOrder) } } },
    async (request, reply) => {
      const check = versionCheck(request);
      return mutations.run(request, reply, {
        action: 'agents.reordered',
        statusCode: 200,
        work: async (scope) => {
          const { agent_ids: agentIds } = request.body;
          const order = await agents.reorder(scope, agentIds, check);
          return { data: order, resource: 'agents', version: order.version };
        },
      });
    },
  );
  app.get(
    '/agents/:agent_id',
    { config: reads, schema: { params: AgentParams, response: { 200: Answer(ListedAgent) } } },
    async (request, reply) => {
      const agent = await agents.find(database.reads, request.params.agent_id);
      const [view] = await withReading(database.reads, [agent], door.principalOf(request));
      reply.header('etag', etagOf(agent.version));
      return view === undefined ? reply : reply.send(answer(view));
    },
  );
  app.patch(
    '/agents/:agent_id',
    {
      config: writes,
      schema: { params: AgentParams, body: AgentChange, response: { 200: Answer(AgentView) } },
    },
    async (request, reply) => {
      const check = versionCheck(request);
      return mutations.run(request, reply, {
        action: 'agent.changed',
        statusCode: 200,
        work: async (scope) => {
          const { agent_id: agentId } = request.params;
          const agent = await agents.change(scope, agentId, request.body, check);
          const details = { changed: Object.keys(request.body) };
          return {
            data: agentView(agent),
            resource: `agent:${agentId}`,
            details,
            version: agent.version,
          };
        },
      });
    },
  );
  app.delete(
    '/agents/:agent_id',
    { config: writes, schema: { params: AgentParams } },
    async (request, reply) => {
      const check = versionCheck(request);
      return mutations.run(request, reply, {
        action: 'agent.archived',
        statusCode: 204,
        work: async (scope) => {
          const { agent_id: agentId } = request.params;
          await agents.archive(scope, agentId, check);
          return { data: null, resource: `agent:${agentId}` };
        },
      });
    },
  );
  app.post(
    '/agents/:agent_id/restore',
    { config: writes, schema: { params: AgentParams, response: { 200: Answer(AgentView) } } },
    async (request, reply) => {
      const check = versionCheck(request);
      return mutations.run(request, reply, {
        action: 'agent.restored',
        statusCode: 200,
        work: async (scope) => {
          const { agent_id: agentId } = request.params;
          const agent = await agents.restore(scope, agentId, check);
          return { data: agentView(agent), resource: `agent:${agentId}`, version: agent.version };
        },
      });
    },
  );
  app.put(
    '/agents/:agent_id/status',
    {
      config: { access: 'status:write' },
      schema: {
        params: AgentParams,
        body: AgentStatusRequest,
        response: { 200: Answer(AgentView) },
      },
    },
    async (request, reply) =>
      mutations.run(request, reply, {
        action: 'agent.status_reported',
        statusCode: 200,
        work: async (scope) => {
          const { agent_id: agentId } = request.params;
          const { agent, isNews } = await agents.report(scope, agentId, request.body);
          const { status } = agent;
          // A watcher says every few seconds that it is still there.
          const isUnaudited = !isNews;
          return {
            data: agentView(agent),
            resource: `agent:${agentId}`,
            details: { status },
            isUnaudited,
          };
        },
      }),
  );
  app.put(
    '/agents/:agent_id/read',
    {
      config: { access: 'self:write' },
      schema: {
        params: AgentParams,
        body: ReadMarkRequest,
        response: { 200: Answer(ReadMarkView) },
      },
    },
    async (request, reply) => {
      const principal = door.principalOf(request);
      let mark: ReadMarkView | null = null;
      await mutations.run(request, reply, {
        action: 'agent.read',
        statusCode: 200,
        work: async (scope) => {
          const agent = await agents.find(scope.db, request.params.agent_id);
          const { agentId } = agent;
          const seq = await markAsRead(scope.db, agent, principal, {
            seq: request.body.seq,
            now: isoTime(clock.now()),
          });
          mark = { agent_id: agentId, seq };
          return { data: mark, resource: `agent:${agentId}`, details: { seq } };
        },
      });
      if (mark !== null && principal.kind === 'user') notices.tellRead(principal.userId, mark);
      return reply;
    },
  );
}

function readPlace(after: string): AgentPlace {
  const [, place, agentId] = /^(\d{1,15})\.(agent_[0-9a-z]{26})$/.exec(after) ?? [];
  if (place === undefined || agentId === undefined) {
    throw invalidField('after', 'after is not the next of an earlier page');
  }
  return { place: Number(place), agentId };
}
