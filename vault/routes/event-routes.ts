// The feeds of agents: posted to, read, marked, and answered once.
import { Type } from 'typebox';

import type { HttpApp } from '#shared/http-server.ts';
import { readIdempotencyKey } from '#shared/idempotency-key.ts';
import { AgentParams } from '#shared/vault-agent-api.ts';
import { Answer, answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';
import {
  ClaimRequest,
  ClaimView,
  EventId,
  EventListQuery,
  EventRequest,
  EventView,
  ReleaseRequest,
  RenewRequest,
} from '#shared/vault-event-api.ts';

import { idOf } from '../access/vault-door.ts';
import type { VaultDoor } from '../access/vault-door.ts';
import type { AgentRegistry } from '../agents/agent-registry.ts';
import type { ClaimRow, Db, EventRow } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { findClaim } from '../feeds/claim-store.ts';
import type { Claims } from '../feeds/claims.ts';
import { findEvent, findEventByKey, listEvents } from '../feeds/event-store.ts';
import { eventView } from '../feeds/event-view.ts';
import { isAnswer } from '../feeds/posting.ts';
import type { Posting } from '../feeds/posting.ts';
import { sourceOf } from '../permission/principal.ts';
import type { Principal } from '../permission/principal.ts';
import { notFound } from '../vault-errors.ts';
import type { Change, Mutations } from './mutation.ts';
import { readTime } from './time-query.ts';

export type EventRouteOptions = {
  realm: string;
  database: Pick<VaultDatabase, 'reads'>;
  agents: AgentRegistry;
  posting: Posting;
  claims: Claims;
  mutations: Mutations;
  door: VaultDoor;
};

const EventParams = Type.Object({ event_id: EventId });

const EventWithClaim = Type.Object(
  { ...EventView.properties, claim: Type.Union([ClaimView, Type.Null()]) },
  { title: 'EventWithClaim' },
);

export async function eventRoutes(app: HttpApp, options: EventRouteOptions): Promise<void> {
  const { realm, database, agents, posting, claims, mutations, door } = options;
  const reads = { access: 'events:read' } as const;
  const answers = { access: 'events:answer', findsAgent: true } as const;

  app.post(
    '/agents/:agent_id/events',
    {
      // Whoever only answers for an agent has no events:write: each type asks for its own permission below.
      config: { access: 'events:read' },
      bodyLimit: 4 * 2 ** 20,
      schema: { params: AgentParams, body: EventRequest, response: { 201: Answer(EventView) } },
    },
    async (request, reply) => {
      const principal = door.principalOf(request);
      const { agent_id: agentId } = request.params;
      const { event_type: type } = request.body;
      door.require(request, isAnswer(request.body) ? 'events:answer' : 'events:write', { agentId });
      const key = readIdempotencyKey(request.headers['idempotency-key']);
      return mutations.run(request, reply, {
        action: 'event.posted',
        statusCode: 201,
        // The event itself keeps its key, for as long as it is there.
        isKeptByItself: true,
        work: async (scope) => {
          const agent = await agents.findOpen(scope.db, agentId);
          const author = { kind: principal.kind, id: idOf(principal), name: principal.name };
          const source = sourceOf(principal);
          const post = { agent, author, source, request: request.body, key };
          const { event, isRepeated } = await posting.post(scope, post);
          return {
            data: eventView(event),
            resource: `event:${event.eventId}`,
            details: { agent_id: agentId, event_type: type },
            // Pieces of an answer go when it is there; so many of them are no acts of their own.
            isUnaudited: isRepeated || type === 'assistant_delta',
            headers: {
              location: `/api/v1/events/${event.eventId}`,
              ...(isRepeated ? { 'idempotent-replayed': 'true' } : {}),
            },
          };
        },
      });
    },
  );
  app.get(
    '/agents/:agent_id/events',
    {
      config: reads,
      schema: {
        params: AgentParams,
        querystring: EventListQuery,
        response: { 200: PageAnswer(EventView) },
      },
    },
    async (request, reply) => {
      const { agent_id: agentId } = request.params;
      await agents.find(database.reads, agentId);
      const { idempotency_key: key } = request.query;
      if (key !== undefined) {
        const authorId = idOf(door.principalOf(request));
        const event = await findEventByKey(database.reads, { agentId, authorId, key });
        return reply.send(pageAnswer(event === null ? [] : [eventView(event)], null));
      }
      return reply.send(await readPage(database.reads, realm, agentId, request.query));
    },
  );
  app.get(
    '/events/:event_id',
    {
      config: { ...reads, findsAgent: true },
      schema: { params: EventParams, response: { 200: Answer(EventWithClaim) } },
    },
    async (request, reply) => {
      const event = await visibleEvent(database.reads, request.params.event_id);
      door.require(request, 'events:read', resourceOf(event));
      const claim = await findClaim(database.reads, event.eventId);
      return reply.send(
        answer({ ...eventView(event), claim: claim === null ? null : claimView(claim) }),
      );
    },
  );
  const visibleEvent = async (db: Db, eventId: string): Promise<EventRow> => {
    const event = await findEvent(db, realm, eventId);
    if (event === null) throw notFound('event');
    return event;
  };
  app.post(
    '/events/:event_id/claim',
    {
      config: answers,
      schema: { params: EventParams, body: ClaimRequest, response: { 201: Answer(ClaimView) } },
    },
    async (request, reply) =>
      mutations.run(request, reply, {
        action: 'claim.taken',
        statusCode: 201,
        work: async (scope) => {
          const event = await visibleEvent(scope.db, request.params.event_id);
          door.require(request, 'events:answer', resourceOf(event));
          const holder = holderOf(door.principalOf(request));
          const { lease_secs: leaseSecs, reopen } = request.body;
          return claimed(await claims.take(scope, event, holder, { leaseSecs, reopen }));
        },
      }),
  );
  app.post(
    '/events/:event_id/claim/renew',
    {
      config: answers,
      schema: { params: EventParams, body: RenewRequest, response: { 200: Answer(ClaimView) } },
    },
    async (request, reply) =>
      mutations.run(request, reply, {
        action: 'claim.renewed',
        statusCode: 200,
        work: async (scope) => {
          const event = await visibleEvent(scope.db, request.params.event_id);
          door.require(request, 'events:answer', resourceOf(event));
          const { fence, lease_secs: leaseSecs } = request.body;
          return claimed(await claims.renew(scope, event.eventId, fence, leaseSecs));
        },
      }),
  );
  app.post(
    '/events/:event_id/claim/release',
    {
      config: answers,
      schema: { params: EventParams, body: ReleaseRequest, response: { 200: Answer(ClaimView) } },
    },
    async (request, reply) =>
      mutations.run(request, reply, {
        action: 'claim.released',
        statusCode: 200,
        work: async (scope) => {
          const event = await visibleEvent(scope.db, request.params.event_id);
          door.require(request, 'events:answer', resourceOf(event));
          return claimed(await claims.release(scope, event.eventId, request.body.fence));
        },
      }),
  );
}

async function readPage(db: Db, realm: string, agentId: string, query: EventListQuery) {
  const { since, since_time: sinceTime, type, limit, after } = query;
  const order = query.order ?? (since === undefined && sinceTime === undefined ? 'desc' : 'asc');
  const found = await listEvents(db, {
    realm,
    agentIds: [agentId],
    sinceSeq: order === 'asc' ? (after ?? since) : since,
    beforeSeq: order === 'desc' ? after : undefined,
    sinceTime: sinceTime === undefined ? undefined : readTime('since_time', sinceTime),
    types: type?.split(',').map((each) => each.trim()),
    order,
    limit: limit + 1,
  });
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  const next = found.length > limit && last !== undefined ? String(last.seq) : null;
  return pageAnswer(rows.map(eventView), next);
}

/** What concerns no agent is not for a key that is bound to some. */
function resourceOf({ agentId }: EventRow): { agentId: string } {
  return { agentId: agentId ?? '' };
}

function holderOf(principal: Principal): { id: string; name: string } {
  return { id: idOf(principal), name: principal.name };
}

function claimed(claim: ClaimRow): Change<ClaimView> {
  return {
    data: claimView(claim),
    resource: `event:${claim.eventId}`,
    details: { agent_id: claim.agentId, fence: claim.fence },
  };
}

function claimView(row: ClaimRow): ClaimView {
  return {
    event_id: row.eventId,
    agent_id: row.agentId,
    fence: row.fence,
    state: row.state,
    holder: { id: row.holderId, name: row.holderName },
    claimed_at: row.claimedAt,
    lease_expires_at: row.leaseExpiresAt,
    ended_at: row.endedAt,
  };
}
