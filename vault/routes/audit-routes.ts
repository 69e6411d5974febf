// Who changed what: for admins, and for reading only.
import { Type } from 'typebox';

import { countMax, Nullable, pageLimit, Time } from '#shared/api-schema.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { PageAnswer, pageAnswer } from '#shared/vault-api.ts';

import type { AuditLog } from '../audit/audit-log.ts';
import type { AuditRow } from '../database/tables.ts';
import type { VaultDatabase } from '../database/vault-database.ts';
import { readTime } from './time-query.ts';

const AuditItem = Type.Object(
  {
    seq: Type.Integer(),
    at: Time,
    action: Type.String({ examples: ['agent.created'] }),
    actor: Type.Object({
      kind: Type.String(),
      id: Nullable(Type.String()),
      name: Nullable(Type.String()),
    }),
    address: Nullable(Type.String()),
    resource: Nullable(Type.String()),
    details: Type.Record(Type.String(), Type.Unknown()),
    hash: Type.String(),
  },
  { title: 'AuditItem' },
);

const AuditQuery = Type.Object(
  {
    user: Type.Optional(Type.String({ maxLength: 100, description: 'the name of a user or key' })),
    action: Type.Optional(Type.String({ maxLength: 100 })),
    since: Type.Optional(Type.String({ maxLength: 40, examples: ['2026-11-27T12:00:00Z'] })),
    until: Type.Optional(Type.String({ maxLength: 40, examples: ['2026-11-27T12:00:00Z'] })),
    limit: pageLimit,
    after: Type.Integer({ minimum: 0, maximum: countMax, default: countMax }),
  },
  { additionalProperties: false },
);

export async function auditRoutes(
  app: HttpApp,
  { database, audit }: { database: Pick<VaultDatabase, 'reads'>; audit: AuditLog },
): Promise<void> {
  app.get(
    '/auth/audit',
    {
      config: { access: 'audit:read' },
      schema: { querystring: AuditQuery, response: { 200: PageAnswer(AuditItem) } },
    },
    async (request, reply) => {
      const { after: before, since, until, ...rest } = request.query;
      const times = {
        since: since === undefined ? undefined : readTime('since', since),
        until: until === undefined ? undefined : readTime('until', until),
      };
      const query = { ...rest, ...times, before };
      const { items, next } = await audit.list(database.reads, query);
      return reply.send(pageAnswer(items.map(auditItem), next));
    },
  );
}

function auditItem(row: AuditRow) {
  const details: Record<string, unknown> = JSON.parse(row.details);
  const { seq, at, action, address, resource, hash } = row;
  const actor = { kind: row.actorKind, id: row.actorId, name: row.actorName };
  return { seq, at, action, actor, address, resource, details, hash };
}
