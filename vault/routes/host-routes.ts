// What watchers report of their hosts, kept as the last snapshot.
import { Type } from 'typebox';

import { pageLimit } from '#shared/api-schema.ts';
import { isoTime } from '#shared/clock.ts';
import type { Clock } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { HostParams, HostReport, HostView } from '#shared/vault-agent-api.ts';
import { Answer, answer, PageAnswer, pageAnswer } from '#shared/vault-api.ts';

import type { VaultDoor } from '../access/vault-door.ts';
import type { HostRow } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { vaultAuthor } from '../feeds/feed.ts';
import type { Feed } from '../feeds/feed.ts';
import { countHosts, findHost, listHosts, putHost } from '../hosts/host-store.ts';
import { invalidField, notFound } from '../vault-errors.ts';
import type { Mutations } from './mutation.ts';

export type HostRouteOptions = {
  realm: string;
  database: Pick<VaultDatabase, 'reads'>;
  feed: Feed;
  mutations: Mutations;
  door: VaultDoor;
  clock: Clock;
};

const HostListQuery = Type.Object(
  { limit: pageLimit, after: Type.String({ maxLength: 64, default: '' }) },
  { additionalProperties: false },
);

const reportCharsMax = 64 * 2 ** 10;
const hostsMax = 1000;

export async function hostRoutes(app: HttpApp, options: HostRouteOptions): Promise<void> {
  const { realm, database, feed, mutations, door, clock } = options;
  const reads = { access: 'hosts:read' } as const;

  app.get(
    '/hosts',
    {
      config: reads,
      schema: { querystring: HostListQuery, response: { 200: PageAnswer(HostView) } },
    },
    async (request, reply) => {
      const { limit, after } = request.query;
      const found = await listHosts(database.reads, realm, after, limit + 1);
      const rows = found.slice(0, limit);
      const next = found.length > limit ? (rows.at(-1)?.name ?? null) : null;
      return reply.send(pageAnswer(rows.map(hostView), next));
    },
  );
  app.get(
    '/hosts/:name',
    { config: reads, schema: { params: HostParams, response: { 200: Answer(HostView) } } },
    async (request, reply) => {
      const host = await findHost(database.reads, realm, request.params.name);
      if (host === null) throw notFound('host');
      return reply.send(answer(hostView(host)));
    },
  );
  app.put(
    '/hosts/:name',
    {
      config: { access: 'hosts:write' },
      schema: { params: HostParams, body: HostReport, response: { 200: Answer(HostView) } },
    },
    async (request, reply) => {
      const report = JSON.stringify(request.body);
      if (report.length > reportCharsMax) {
        throw invalidField('body', 'a report must be at most 64 KB as JSON');
      }
      const { name } = request.params;
      const reportedBy = door.principalOf(request).name;
      return mutations.run(request, reply, {
        action: 'host.reported',
        statusCode: 200,
        work: async (scope) => {
          const earlier = await findHost(scope.db, realm, name);
          if (earlier === null && (await countHosts(scope.db, realm)) >= hostsMax) {
            throw requestError('conflict', `there are ${hostsMax} hosts already`);
          }
          const host = { realm, name, report, reportedBy, reportedAt: isoTime(clock.now()) };
          await putHost(scope.db, host);
          const health = healthOf(report);
          // A watcher reports every few seconds: what it says of itself is told when it is another thing.
          const isNews = earlier === null || healthOf(earlier.report) !== health;
          if (isNews) {
            const metadata = { source: 'vault', host: name, health };
            await feed.append(scope, {
              agentId: null,
              type: 'host_changed',
              metadata,
              author: vaultAuthor,
            });
          }
          return {
            data: hostView(host),
            resource: `host:${name}`,
            details: { health },
            isUnaudited: !isNews,
          };
        },
      });
    },
  );
}

function hostView({ name, report, reportedBy, reportedAt }: HostRow): HostView {
  const content: Record<string, unknown> = JSON.parse(report);
  return { name, report: content, reported_by: reportedBy, reported_at: reportedAt };
}

function healthOf(report: string): string | null {
  const { health }: { health?: unknown } = JSON.parse(report);
  return typeof health === 'string' ? health.slice(0, 100) : null;
}
