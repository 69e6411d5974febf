// Runs that were started: looked at, waited for, read, cancelled. Another app's run is as good as none.
import { clientGoneSignal } from '#shared/client-gone.ts';
import { requestError } from '#shared/errors.ts';
import {
  RunCancelled,
  RunList,
  RunListQuery,
  RunParams,
  RunView,
  RunWaitQuery,
} from '#shared/gateway-run-api.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import type { RunEventStore } from '../events/run-event-store.ts';
import type { RunCancel } from '../runs/run-cancel.ts';
import type { RunInquiry } from '../runs/run-inquiry.ts';
import type { StoredRun } from '../runs/run-store.ts';
import { readLastEventId } from './run-event-streams.ts';
import type { RunEventStreams } from './run-event-streams.ts';

export type RunQueryRouteOptions = {
  inquiry: RunInquiry;
  cancel: RunCancel;
  events: RunEventStore;
  streams: RunEventStreams;
  door: Door;
};

export async function runQueryRoutes(app: HttpApp, options: RunQueryRouteOptions): Promise<void> {
  const { inquiry, cancel, events, streams, door } = options;
  const config = { guard: 'app' } as const;
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort();
    done();
  });

  app.get(
    '/runs',
    { config, schema: { querystring: RunListQuery, response: { 200: RunList } } },
    (request, reply) => {
      const { status: state, ...page } = request.query;
      const { appId } = door.appOf(request);
      void reply.send(inquiry.list({ appId, state }, page, (item) => item));
    },
  );

  app.get(
    '/runs/:run_id',
    {
      config,
      schema: { params: RunParams, querystring: RunWaitQuery, response: { 200: RunView } },
    },
    async (request, reply) => {
      const { appId } = door.appOf(request);
      const { run_id: runId } = request.params;
      const run = known(inquiry.find(appId, runId));
      const { wait = 0 } = request.query;
      if (run.state === 'ended' || wait === 0) return inquiry.view(run);
      const over = AbortSignal.any([clientGoneSignal(reply), closing.signal]);
      await inquiry.untilEnded(runId, wait * 1000, over);
      return inquiry.view(known(inquiry.find(appId, runId)));
    },
  );

  app.post(
    '/runs/:run_id/cancel',
    { config, schema: { params: RunParams, response: { 202: RunCancelled } } },
    async (request, reply) => {
      const run = known(inquiry.find(door.appOf(request).appId, request.params.run_id));
      await cancel(run);
      return reply.code(202).send({ run_id: run.runId, status: run.state });
    },
  );

  app.get(
    '/runs/:run_id/events',
    // The events are a stream of their own making, and HEAD would begin one.
    { config, exposeHeadRoute: false, schema: { params: RunParams } },
    async (request, reply) => {
      const run = known(inquiry.find(door.appOf(request).appId, request.params.run_id));
      const lastSeq = events.lastSeq(run.runSeq);
      const after = readLastEventId(request.headers['last-event-id'], lastSeq);
      // Nothing comes after the last event of a run: a browser stops asking at 204.
      if (run.state === 'ended' && after === lastSeq) return reply.code(204).send();
      streams.admit(request);
      streams.open(request, reply, { runSeq: run.runSeq, after, endsWhenStopping: true });
      return reply;
    },
  );
}

function known(run: StoredRun | null): StoredRun {
  if (run !== null) return run;
  throw requestError('not_found', 'there is no such run: it was never there or was forgotten');
}
