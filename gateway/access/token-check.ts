// Whose token a request carries, and whether it is one for the route.
import type { FastifyReply, FastifyRequest } from 'fastify';

import type { Clock } from '#shared/clock.ts';
import type { Refuse } from '#shared/door/refusal.ts';
import { presentedToken } from '#shared/door/request-credentials.ts';
import { createWrongTokenLimit } from '#shared/door/wrong-token-limit.ts';
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';

import type { AdminToken } from './admin-token.ts';
import type { AppAccess, AppLookup } from './app-lookup.ts';
import type { LastUse } from './last-use.ts';
import type { RefusalReason } from './refusal-reasons.ts';

export type TokenCheckParts = {
  apps: AppLookup;
  lastUse: LastUse;
  adminToken: AdminToken;
  clock: Clock;
};

/** Both throw the refusal of a request without the right token. */
export type TokenCheck = {
  requireApp(request: FastifyRequest, reply: FastifyReply, address: string): AppAccess;
  requireAdmin(request: FastifyRequest, reply: FastifyReply, address: string): void;
  /** When the token of a request that was let in expires; null for never. */
  endOf(request: Pick<FastifyRequest, 'raw'>): string | null;
  /** Of a request that was let in: whether it still would be. For answers that go on. */
  isStillGood(request: Pick<FastifyRequest, 'raw'>, address: string): boolean;
};

export function createTokenCheck(
  parts: TokenCheckParts,
  refuse: Refuse<RefusalReason>,
): TokenCheck {
  const { apps, lastUse, adminToken } = parts;
  const wrongTokens = createWrongTokenLimit(parts.clock);

  function requireToken(request: FastifyRequest, reply: FastifyReply, address: string): string {
    const token = presentedToken(request.raw.headers.authorization);
    if (token === null) throw refuse(request, address, 'no_token', unauthorized(reply));
    return token;
  }

  function refuseWrongToken(
    request: FastifyRequest,
    reply: FastifyReply,
    address: string,
  ): AppError {
    const retryAfterSecs = wrongTokens.count(address);
    if (retryAfterSecs === null) {
      return refuse(request, address, 'wrong_token', unauthorized(reply));
    }
    const message = 'too many wrong tokens from this address';
    const error = requestError('too_many_attempts', message, { retryAfterSecs });
    return refuse(request, address, 'too_many_wrong_tokens', error);
  }

  return {
    requireApp: (request, reply, address) => {
      const token = requireToken(request, reply, address);
      const app = apps.find(token);
      if (app === null) {
        if (!adminToken.matches(token)) throw refuseWrongToken(request, reply, address);
        const error = requestError('forbidden', 'the admin token is for /admin and /metrics only');
        throw refuse(request, address, 'admin_token', error);
      }
      if (!app.mayComeFrom(address)) {
        const error = requestError('forbidden', `this app may not connect from ${address}`);
        throw refuse(request, address, 'address_of_app', error);
      }
      lastUse.note(app.digest, app.lastUsedAt, address);
      return app.access;
    },
    requireAdmin: (request, reply, address) => {
      const token = requireToken(request, reply, address);
      if (adminToken.matches(token)) return;
      if (apps.find(token) === null) throw refuseWrongToken(request, reply, address);
      const error = requestError('forbidden', "an app's token is not for /admin or /metrics");
      throw refuse(request, address, 'app_token', error);
    },
    endOf: (request) => {
      const token = presentedToken(request.raw.headers.authorization);
      return (token === null ? null : apps.find(token)?.expiresAt) ?? null;
    },
    isStillGood: (request, address) => {
      const token = presentedToken(request.raw.headers.authorization);
      return (token !== null && apps.find(token)?.mayComeFrom(address)) === true;
    },
  };
}

// The same answer whatever is wrong, so that it tells nothing about the token.
function unauthorized(reply: FastifyReply): AppError {
  reply.header('www-authenticate', 'Bearer');
  return requestError('unauthorized', 'a valid token is needed: Authorization: Bearer <token>');
}
