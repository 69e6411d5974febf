import { isoTime } from '#shared/clock.ts';
import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { AuditLog } from '../audit/audit-log.ts';
import { AuditListAnswer, AuditListQuery } from './admin-audit-schema.ts';

export type AdminAuditRouteOptions = { audit: AuditLog };

export async function adminAuditRoutes(
  app: HttpApp,
  { audit }: AdminAuditRouteOptions,
): Promise<void> {
  app.get(
    '/admin/audit',
    {
      config: { guard: 'admin' },
      schema: { querystring: AuditListQuery, response: { 200: AuditListAnswer } },
    },
    (request, reply) => {
      const { since, until, ...rest } = request.query;
      const times = { since: timeOf('since', since), until: timeOf('until', until) };
      void reply.send(audit.list({ ...rest, ...times }));
    },
  );
}

const isoForm = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/;

// The rows are compared as text, so a time must be written as theirs are.
function timeOf(field: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = isoForm.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    const message = `${field} must be a date or a time with its zone, such as 2026-01-31T12:00:00Z`;
    throw requestError('invalid_request', message, { details: { field } });
  }
  return isoTime(time);
}
