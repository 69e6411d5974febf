// Feeds as they grow: server-sent events from the store, resumed from any number.
import type { FastifyReply, FastifyRequest } from 'fastify';

import { requestError } from '#shared/errors.ts';
import type { EventFeed } from '#shared/event-feed.ts';
import { openEventStream } from '#shared/event-stream.ts';
import type { EventStream } from '#shared/event-stream.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { AgentParams } from '#shared/vault-agent-api.ts';
import { StreamQuery, WholeStreamQuery } from '#shared/vault-event-api.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import type { AgentRegistry } from '../agents/agent-registry.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { readEventHead } from '../feeds/event-store.ts';
import { topicOfAgents, topicOfAll } from '../feeds/feed-topics.ts';
import type { StreamNotices } from '../feeds/stream-notices.ts';
import { agentsOf } from '../permission/principal.ts';
import { invalidField } from '../vault-errors.ts';

export type StreamRouteOptions = {
  realm: string;
  database: Pick<VaultDatabase, 'reads'>;
  agents: AgentRegistry;
  streams: EventFeed<string>;
  notices: StreamNotices;
  door: VaultDoor;
};

export async function streamRoutes(app: HttpApp, options: StreamRouteOptions): Promise<void> {
  const { realm, database, agents, streams, notices, door } = options;
  const config = { access: 'events:read', isUncounted: true } as const;

  const open = async (
    request: FastifyRequest,
    reply: FastifyReply,
    topic: string,
    since: number | undefined,
  ): Promise<EventStream> => {
    const head = await readEventHead(database.reads, realm);
    const after = lastEventId(request) ?? since ?? head;
    if (after > head) {
      const message = `the newest event has the number ${head}: read the feed anew, it is another one`;
      throw requestError('gone', message, { details: { newest_seq: head } });
    }
    const stream = openEventStream(reply);
    const mayRead = door.watch(request, stream.closed);
    streams.open({ topic, after, mayRead, stream, endsWhenStopping: true });
    return stream;
  };
  app.get(
    '/agents/:agent_id/stream',
    { config, schema: { params: AgentParams, querystring: StreamQuery } },
    async (request, reply) => {
      const { agentId } = await agents.find(database.reads, request.params.agent_id);
      await open(request, reply, topicOfAgents([agentId]), request.query.since);
    },
  );
  app.get(
    '/stream',
    { config, schema: { querystring: WholeStreamQuery } },
    async (request, reply) => {
      const { since, notices: wantsNotices = false } = request.query;
      const principal = door.principalOf(request);
      const bound = agentsOf(principal);
      const topic = bound === null ? topicOfAll : topicOfAgents(bound);
      const stream = await open(request, reply, topic, since);
      if (wantsNotices && principal.kind === 'user') notices.follow(principal.userId, stream);
    },
  );
}

function lastEventId({ headers }: FastifyRequest): number | null {
  const header = headers['last-event-id'];
  if (header === undefined || header === '') return null;
  if (typeof header === 'string' && /^\d{1,15}$/.test(header)) return Number(header);
  throw invalidField('Last-Event-ID', 'Last-Event-ID must be the id of an event');
}
