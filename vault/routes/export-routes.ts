// A feed to take along: all of it, as it is when the reading begins.
import { Readable } from 'node:stream';

import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { AgentParams } from '#shared/vault-agent-api.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import type { AgentRegistry } from '../agents/agent-registry.ts';
import { contentDisposition } from '../attachments/content-disposition.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { readEventHead } from '../feeds/event-store.ts';
import { exportFeed } from '../feeds/feed-export.ts';

export type ExportRouteOptions = {
  realm: string;
  database: Pick<VaultDatabase, 'reads'>;
  agents: AgentRegistry;
  door: VaultDoor;
};

export async function exportRoutes(app: HttpApp, options: ExportRouteOptions): Promise<void> {
  const { realm, database, agents, door } = options;
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort();
    done();
  });

  app.get(
    '/agents/:agent_id/export',
    {
      config: { access: 'events:read' },
      // Its length is known only when all of it was read.
      exposeHeadRoute: false,
      schema: { params: AgentParams },
    },
    async (request, reply) => {
      const { agentId, name } = await agents.find(database.reads, request.params.agent_id);
      const head = await readEventHead(database.reads, realm);
      const mayRead = door.watch(request);
      const check = (): void => {
        if (!mayRead()) throw requestError('forbidden', 'the reader may not read any more');
      };
      const lines = exportFeed(database.reads, { realm, agentId }, head, check);
      // A piece at a time: by default sixteen would be read ahead.
      const ahead = { objectMode: true, highWaterMark: 1, signal: closing.signal };
      reply.header('content-type', 'application/x-ndjson; charset=utf-8');
      reply.header(
        'content-disposition',
        contentDisposition('application/x-ndjson', `${name}.jsonl`),
      );
      return reply.send(Readable.from(lines, ahead));
    },
  );
}
