// What every HTTP service of ours has in common: limits, strict input, one error object.
import type { IncomingMessage } from 'node:http';

import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { fastify, LogController } from 'fastify';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';

import { requestError } from './errors.ts';
import type { AppError } from './errors.ts';
import { createClientErrors } from './http-client-errors.ts';
import { safetyHeaders, sendError, toAppError } from './http-error-answer.ts';
import type { ErrorEnvelope } from './http-error-answer.ts';
import { readJsonBody } from './http-json-body.ts';
import { createKnownRoutes } from './http-known-routes.ts';
import { dropSilentConnections } from './http-silent-connections.ts';
import { createValidatorCompiler } from './http-validation.ts';
import type { NewId } from './ids.ts';
import { holdsSecret } from './log.ts';
import type { Log } from './log.ts';

export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export type HttpServerOptions = {
  log: Log;
  errorEnvelope: ErrorEnvelope;
  /** For bodies; a route may set its own. */
  bodyLimitBytes: number;
  /** For the whole of a request to arrive. */
  requestTimeoutMs: number;
  newId: NewId;
  /** Sees every request before anything can refuse it. */
  observe?: (request: FastifyRequest, reply: FastifyReply) => void;
  /** Whether a route, by its `config`, still answers while draining. */
  exemptFromDraining?: (routeConfig: unknown) => boolean;
  /** Makes an AppError of an error of the service's own, such as that of a database that is away; gives any other back. */
  explain?: (err: unknown) => unknown;
};

export type HttpServer = {
  app: HttpApp;
  /** From here on new requests are told to come back; close the app when the open ones ended. */
  startDraining(): void;
  isDraining(): boolean;
};

const clientRequestId = /^[A-Za-z0-9._-]{1,64}$/;
const drainingRetryAfterSecs = 5;

/**
 * `request.log` is the service's log, without the request's id; `app.log` says nothing. Hooks of
 * the caller run after ours.
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const newRequestId = (): string => options.newId('req');
  const clientErrors = createClientErrors(options.errorEnvelope, newRequestId);
  const idOf = (raw: IncomingMessage): string => takenRequestId(raw) ?? newRequestId();
  const app = fastify({
    bodyLimit: options.bodyLimitBytes,
    requestTimeout: options.requestTimeoutMs,
    http: {
      // A limit of headers above the one of requests switches the latter off, silently.
      headersTimeout: options.requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, options.requestTimeoutMs),
      // Node's own refusal has no body; ours is in a hook.
      requireHostHeader: false,
    },
    trustProxy: false,
    return503OnClosing: false,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: () => options.log,
    requestIdHeader: false,
    genReqId: idOf,
    clientErrorHandler: clientErrors.handle,
    frameworkErrors: (err, _request, reply) => {
      const refusal =
        err.code === 'FST_ERR_BAD_URL' ? invalidPart('url', 'the URL is not well formed') : err;
      sendError(reply, options.errorEnvelope, toAppError(refusal) ?? internalError(err));
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  app.addHook('onRequest', (request, reply, done) => {
    clientErrors.track(request.raw.socket, reply.raw);
    options.observe?.(request, reply);
    reply.header('x-request-id', request.id);
    reply.headers(safetyHeaders);
    done();
  });
  const draining = refuseWhileDraining(app, options);
  dropSilentConnections(app);
  answerErrors(app, options);
  takeOnlyJson(app);
  answerUnknownRoutes(app);
  app.server.on('checkExpectation', (request: IncomingMessage) => {
    const refusal = invalidPart('expect', 'the Expect header asks for the unknown');
    clientErrors.refuse(request.socket, refusal, idOf(request));
  });
  app.server.on('connect', (request: IncomingMessage) => {
    const refusal = requestError('method_not_allowed', 'this is not a proxy');
    clientErrors.refuse(request.socket, refusal, idOf(request));
  });
  return { app, ...draining };
}

function refuseWhileDraining(
  app: HttpApp,
  options: HttpServerOptions,
): Pick<HttpServer, 'startDraining' | 'isDraining'> {
  const isExempt = options.exemptFromDraining ?? (() => false);
  let draining = false;
  app.addHook('onRequest', (request, _reply, done) => {
    if (!draining) {
      done();
      return;
    }
    const refusal = requestError('draining', 'the service is stopping: ask again soon', {
      retryAfterSecs: drainingRetryAfterSecs,
    });
    done(isExempt(request.routeOptions.config) ? undefined : refusal);
  });
  // Also to requests from before: whoever believed that the connection stays would send the next one into its end.
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (draining) {
      reply.raw.shouldKeepAlive = false;
      reply.header('connection', 'close');
    }
    done(null, payload);
  });
  const startDraining = (): void => {
    draining = true;
    // Connections whose answer is still to come close when it has gone out.
    app.server.keepAliveTimeout = 1;
    app.server.keepAliveTimeoutBuffer = 0;
  };
  app.addHook('preClose', (done) => {
    startDraining();
    done();
  });
  return { startDraining, isDraining: () => draining };
}

function answerErrors(app: HttpApp, options: HttpServerOptions): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { headers, httpVersion } = request.raw;
    const hostMissing = headers.host === undefined && httpVersion === '1.1';
    done(hostMissing ? invalidPart('host', 'the Host header is missing') : undefined);
  });
  const explain = options.explain ?? ((err) => err);
  app.setErrorHandler((err, request, reply) => {
    const known = toAppError(explain(err));
    if (known === null || known.code === 'internal') {
      logFailure(options.log, request, err);
    }
    // Fastify closes after a refused body; a client still sending would lose the answer.
    reply.header('connection', reply.raw.shouldKeepAlive ? 'keep-alive' : 'close');
    sendError(reply, options.errorEnvelope, known ?? internalError(err));
  });
}

function takeOnlyJson(app: HttpApp): void {
  app.setValidatorCompiler(createValidatorCompiler());
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    (request, body: Buffer, done) => {
      done(null, readJsonBody(request, body));
    },
  );
}

function answerUnknownRoutes(app: HttpApp): void {
  const routes = createKnownRoutes();
  app.addHook('onRoute', ({ url, method }) => {
    routes.add(url, [method].flat());
  });
  const refuse = (request: FastifyRequest, reply: FastifyReply): never => {
    const methods = routes.methodsOf(request.url);
    if (methods.length === 0) {
      throw requestError('not_found', 'there is nothing at this path');
    }
    const allow = methods.join(', ');
    reply.header('allow', allow);
    throw requestError('method_not_allowed', `this path answers to ${allow}`);
  };
  app.setNotFoundHandler(refuse);
  app.addHook('preParsing', (request, reply, _payload, done) => {
    // Fastify asks for the Content-Type of a QUERY before it says that nobody answers one.
    if (request.is404 && request.method === 'QUERY') refuse(request, reply);
    done();
  });
}

function takenRequestId(raw: IncomingMessage): string | null {
  const id = raw.headers['x-request-id'];
  // It is kept in logs and audit rows, where a secret put there by mistake must not end.
  const isTaken = typeof id === 'string' && clientRequestId.test(id) && !holdsSecret(id);
  return isTaken ? id : null;
}

function invalidPart(field: string, message: string): AppError {
  return requestError('invalid_request', message, { details: { field } });
}

function internalError(cause: unknown): AppError {
  return requestError('internal', 'something went wrong here; the log has it under this id', {
    cause,
  });
}

function logFailure(log: Log, request: FastifyRequest, err: unknown): void {
  log.error(
    { err, request_id: request.id, method: request.method, route: request.routeOptions.url },
    'request failed',
  );
}
