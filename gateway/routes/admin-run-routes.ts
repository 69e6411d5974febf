// Runs of all apps, for the operator.
import { Type } from 'typebox';

import { NextPage, Nullable } from '#shared/api-schema.ts';
import { requestError } from '#shared/errors.ts';
import { RunCancelled, RunItem, RunListQuery, RunParams } from '#shared/gateway-run-api.ts';
import { endedRunExample } from '#shared/gateway-run-fields.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import type { RunCancel } from '../runs/run-cancel.ts';
import type { RunInquiry } from '../runs/run-inquiry.ts';
import type { StoredRun } from '../runs/run-store.ts';

const appFilter = Type.String({
  maxLength: 64,
  description: 'only of this app',
  examples: ['my-app'],
});

const AdminRunItem = Type.Object(
  {
    ...RunItem.properties,
    app: Type.String({ description: 'whose run it is', examples: ['my-app'] }),
    pid: Nullable(Type.Integer({ description: 'of its outermost process, while it runs' })),
    error: Type.Optional(
      Nullable(Type.String({ description: 'why it failed, for people; null when it did not' })),
    ),
  },
  {
    title: 'AdminRunItem',
    description: 'a run of any app in a list',
    examples: [{ ...endedRunExample, app: 'my-app', pid: null, error: null }],
  },
);
const AdminRunList = Type.Object(
  { items: Type.Array(AdminRunItem), next: NextPage },
  { title: 'AdminRunList', description: 'a page of runs of all apps, newest first' },
);
const AdminRunListQuery = Type.Object(
  { ...RunListQuery.properties, app: Type.Optional(appFilter) },
  { additionalProperties: false },
);

export type AdminRunRouteOptions = { inquiry: RunInquiry; cancel: RunCancel; door: Door };

export async function adminRunRoutes(
  app: HttpApp,
  { inquiry, cancel, door }: AdminRunRouteOptions,
): Promise<void> {
  const config = { guard: 'admin' } as const;

  app.get(
    '/admin/runs',
    { config, schema: { querystring: AdminRunListQuery, response: { 200: AdminRunList } } },
    (request, reply) => {
      const { app: appName, status: state, ...page } = request.query;
      void reply.send(
        inquiry.list({ appName, state }, page, (item, run) => ({
          ...item,
          app: run.appName,
          pid: run.pid,
          ...(run.state === 'ended' ? { error: run.message } : {}),
        })),
      );
    },
  );

  app.post(
    '/admin/runs/:run_id/cancel',
    { config, schema: { params: RunParams, response: { 202: RunCancelled } } },
    async (request, reply) => {
      const run = known(inquiry.findAny(request.params.run_id));
      await cancel(run, { byAdminAt: door.addressOf(request) });
      return reply.code(202).send({ run_id: run.runId, status: run.state });
    },
  );
}

function known(run: StoredRun | null): StoredRun {
  if (run !== null) return run;
  throw requestError('not_found', 'there is no such run: it was never there or was forgotten');
}
