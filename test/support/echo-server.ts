// A server with a route of every kind, for the tests of what all our HTTP services share.
import { Type } from 'typebox';

import { requestError } from '#shared/errors.ts';
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp, HttpServer } from '#shared/http-server.ts';

import { createCapturedLog } from './captured-log.ts';
import type { CapturedLog } from './captured-log.ts';

export type EchoServer = HttpServer & {
  log: CapturedLog;
  /** The bodies that reached the handler of /echo. */
  handled: unknown[];
  [Symbol.asyncDispose]: () => Promise<void>;
};

const EchoBody = Type.Object(
  {
    text: Type.String(),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    any: Type.Optional(Type.Unknown()),
    list: Type.Optional(Type.Array(Type.Object({ kind: Type.Enum(['a', 'b']) }))),
  },
  { additionalProperties: false },
);

export async function createEchoServer(): Promise<EchoServer> {
  const log = createCapturedLog();
  const handled: unknown[] = [];
  let made = 0;
  const server = createHttpServer({
    log: log.log,
    errorEnvelope: { ok: false },
    bodyLimitBytes: 2 ** 20,
    requestTimeoutMs: 1000,
    newId: (prefix) => `${prefix}-${(made += 1)}`,
    exemptFromDraining: (config) =>
      typeof config === 'object' &&
      config !== null &&
      'guard' in config &&
      config.guard === 'public',
  });
  server.app.post('/echo', { schema: { body: EchoBody } }, (request, reply) => {
    handled.push(request.body);
    void reply.send(request.body);
  });
  addItemRoutes(server.app);
  addFailingRoutes(server.app);
  await server.app.ready();
  return {
    ...server,
    log,
    handled,
    [Symbol.asyncDispose]: async () => {
      await server.app.close();
    },
  };
}

function addItemRoutes(app: HttpApp): void {
  const query = Type.Object(
    { limit: Type.Integer({ default: 10, maximum: 50 }) },
    { additionalProperties: false },
  );
  app.get('/items', { schema: { querystring: query } }, (request, reply) => {
    void reply.send(request.query);
  });
  const params = Type.Object({ name: Type.String() });
  app.delete('/items/:name', { schema: { params } }, (_request, reply) => {
    void reply.code(204).send();
  });
  app.get('/health', { config: { guard: 'public' } }, () => ({ ok: true }));
}

function addFailingRoutes(app: HttpApp): void {
  const response = { '5xx': Type.Object({ nothing: Type.String() }) };
  app.get('/boom', { schema: { response } }, () => {
    throw new Error('a secret of the inside', { cause: new Error('the cause') });
  });
  app.get('/busy', () => {
    throw requestError('queue_full', 'full', { retryAfterSecs: 2.2, runId: 'run_7' });
  });
  app.get('/borrowed', () => {
    throw Object.assign(new Error('from a library'), { statusCode: 403, code: 'LIB_X' });
  });
}
