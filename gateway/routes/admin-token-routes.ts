import type { FastifyRequest } from 'fastify';

import type { HttpApp } from '#shared/http-server.ts';
import { answeredOnce, readIdempotencyKey, requestDigest } from '#shared/idempotency-key.ts';

import type { AppChanges, AppRegistry, IssuedToken, OnStored } from '../access/app-registry.ts';
import type { ListedApp } from '../access/app-store.ts';
import type { Door } from '../access/door.ts';
import type { NewApp } from '../access/new-app.ts';
import type { IdempotencyKeys } from '../idempotency/idempotency-keys.ts';
import {
  ChangeRequest,
  defaultOverlapSecs,
  IssuedTokenAnswer,
  MintRequest,
  NameParams,
  RotateRequest,
  TokenItem,
  TokenListAnswer,
  TokenListQuery,
} from './admin-token-schema.ts';

export type AdminTokenRouteOptions = {
  registry: AppRegistry;
  keys: IdempotencyKeys;
  door: Door;
};

export async function adminTokenRoutes(
  app: HttpApp,
  { registry, keys, door }: AdminTokenRouteOptions,
): Promise<void> {
  const config = { guard: 'admin' } as const;

  /** A token is shown once: the same request under the same key is refused, since its answer cannot be sent again. */
  const onceOnly = (request: FastifyRequest, path: string): OnStored | undefined => {
    const key = readIdempotencyKey(request.headers['idempotency-key']);
    if (key === null) return undefined;
    const requestSha256 = requestDigest(JSON.parse(JSON.stringify(request.body)));
    const keyed = { place: { scope: 'admin', path, key }, requestSha256 };
    if (keys.recall(keyed) !== null) throw answeredOnce();
    return () => keys.keep({ ...keyed, answer: { statusCode: 409, body: '' } }, null);
  };

  app.post(
    '/admin/tokens',
    { config, schema: { body: MintRequest, response: { 201: IssuedTokenAnswer } } },
    async (request, reply) => {
      const once = onceOnly(request, '/admin/tokens');
      const issued = await registry.create(newAppOf(request.body), door.addressOf(request), once);
      return reply.code(201).send(issuedTokenAnswer(issued));
    },
  );

  app.get(
    '/admin/tokens',
    { config, schema: { querystring: TokenListQuery, response: { 200: TokenListAnswer } } },
    (request, reply) => {
      const { items, next } = registry.list(request.query.after, request.query.limit);
      void reply.send({ items: items.map(tokenItem), next });
    },
  );

  app.patch(
    '/admin/tokens/:name',
    {
      config,
      schema: { params: NameParams, body: ChangeRequest, response: { 200: TokenItem } },
    },
    async (request, reply) => {
      const { name } = request.params;
      const changed = await registry.change(name, changesOf(request.body), door.addressOf(request));
      return reply.send(tokenItem(changed));
    },
  );

  app.delete(
    '/admin/tokens/:name',
    { config, schema: { params: NameParams } },
    async (request, reply) => {
      await registry.revoke(request.params.name, door.addressOf(request));
      return reply.code(204).send();
    },
  );

  app.post(
    '/admin/tokens/:name/rotate',
    {
      config,
      schema: { params: NameParams, body: RotateRequest, response: { 201: IssuedTokenAnswer } },
      preValidation: (request, _reply, next) => {
        request.body ??= { overlap_secs: defaultOverlapSecs };
        next();
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const overlapSecs = request.body.overlap_secs;
      const once = onceOnly(request, `/admin/tokens/${name}/rotate`);
      const issued = await registry.rotate(name, overlapSecs, door.addressOf(request), once);
      return reply.code(201).send(issuedTokenAnswer(issued));
    },
  );
}

function newAppOf(request: MintRequest): NewApp {
  return {
    name: request.name,
    ipCidrs: request.ip_cidrs ?? [],
    models: request.models ?? null,
    maxConcurrent: request.max_concurrent ?? null,
    timeoutSecsMax: request.timeout_secs_max ?? null,
    maxQueued: request.max_queued ?? null,
    workspaces: request.workspaces ?? [],
    tokenLifetimeSecs: request.expires_in_secs ?? null,
  };
}

function changesOf(request: ChangeRequest): AppChanges {
  return {
    ...(request.ip_cidrs === undefined ? {} : { ipCidrs: request.ip_cidrs }),
    ...(request.models === undefined ? {} : { models: request.models }),
    ...(request.max_concurrent === undefined ? {} : { maxConcurrent: request.max_concurrent }),
    ...(request.timeout_secs_max === undefined ? {} : { timeoutSecsMax: request.timeout_secs_max }),
    ...(request.max_queued === undefined ? {} : { maxQueued: request.max_queued }),
    ...(request.workspaces === undefined ? {} : { workspaces: request.workspaces ?? [] }),
  };
}

function issuedTokenAnswer(issued: IssuedToken): IssuedTokenAnswer {
  return {
    name: issued.name,
    token: issued.token,
    ip_cidrs: issued.ipCidrs,
    created_at: issued.createdAt,
    expires_at: issued.expiresAt,
  };
}

function tokenItem(app: ListedApp): TokenItem {
  return {
    name: app.name,
    ip_cidrs: app.ipCidrs,
    models: app.models,
    max_concurrent: app.maxConcurrent,
    timeout_secs_max: app.timeoutSecsMax,
    max_queued: app.maxQueued,
    workspaces: app.workspaces,
    created_at: app.createdAt,
    expires_at: app.expiresAt,
    last_used_at: app.lastUsedAt,
    last_used_ip: app.lastUsedIp,
  };
}
