// Who is let in: where from, as whom, how often, and for what.
import type {
  FastifyContextConfig,
  FastifyReply,
  FastifyRequest,
  onRequestAsyncHookHandler,
} from 'fastify';

import type { Clock } from '#shared/clock.ts';
import { createEntrance } from '#shared/door/entrance.ts';
import type { EntranceOptions } from '#shared/door/entrance.ts';
import { createRefuse } from '#shared/door/refusal.ts';
import type { EntranceReason } from '#shared/door/refusal.ts';
import { presentedToken } from '#shared/door/request-credentials.ts';
import { createWrongTokenLimit } from '#shared/door/wrong-token-limit.ts';
import { requestError } from '#shared/errors.ts';
import type { AppError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';
import type { Log } from '#shared/log.ts';

import type { Identities, Identity } from '../identity/identities.ts';
import { mentionsSecret } from '../identity/secret-text.ts';
import { can } from '../permission/can.ts';
import type { Resource } from '../permission/can.ts';
import type { Permission } from '../permission/permission.ts';
import { agentsOf } from '../permission/principal.ts';
import type { Principal } from '../permission/principal.ts';
import { vaultError } from '../vault-errors.ts';
import { accessOf } from './access.ts';
import type { Access } from './access.ts';
import { createRateLimit } from './rate-limit.ts';

type Asked = Pick<FastifyRequest, 'raw'>;

export type VaultDoor = {
  /** Who makes a request to a route that is not public. */
  principalOf: (request: Asked) => Principal;
  /** Null on a public route. */
  knownPrincipalOf: (request: Asked) => Principal | null;
  /** The sign-in that a user's token comes from; null for a key. */
  familyOf: (request: Asked) => string | null;
  /** When the token ends, in milliseconds since the epoch; null for never. */
  endOf: (request: Asked) => number | null;
  /** The client's address; behind a trusted proxy that of the proxy's client. */
  addressOf: (request: Asked) => string;
  /** Throws `forbidden`; `not_found` for an agent that a key is not for. */
  require: (request: Asked, permission: Permission, resource: Resource) => void;
  /** Gives whether whoever made this request may still be answered. For answers that go on. */
  watch: (request: Asked) => () => boolean;
};

export type VaultDoorOptions = Omit<EntranceOptions, 'mentionsToken' | 'metricsCidrs'> & {
  identities: Identities;
  clock: Clock;
  log: Log;
};

type VaultRefusal =
  | 'no_token'
  | 'wrong_token'
  | 'too_many_wrong_tokens'
  | 'development_key'
  | 'permission'
  | 'rate';

/** To be called before any route is registered. */
export function installVaultDoor(app: HttpApp, options: VaultDoorOptions): VaultDoor {
  const { identities, clock, log } = options;
  const refuse = createRefuse<EntranceReason | VaultRefusal>(log, () => {});
  const entrance = createEntrance({ ...options, mentionsToken: mentionsSecret }, refuse, log);
  const wrongTokens = createWrongTokenLimit(clock);
  const rates = createRateLimit(clock);
  const addresses = new WeakMap<FastifyRequest['raw'], string>();
  const known = new WeakMap<FastifyRequest['raw'], Identity>();

  const addressOf = ({ raw }: Asked): string => found(addresses.get(raw));
  const identify = async (request: FastifyRequest, reply: FastifyReply): Promise<Identity> => {
    const address = addressOf(request);
    const token = presentedToken(request.raw.headers.authorization);
    if (token === null) throw refuse(request, address, 'no_token', unauthorized(reply));
    const identity = await identities.of(token, address);
    if (identity === 'development_key') {
      const message = 'this is a production instance: a cv_dev_ key does not open it';
      throw refuse(request, address, identity, requestError('forbidden', message));
    }
    if (identity !== null) return identity;
    const retryAfterSecs = wrongTokens.count(address);
    if (retryAfterSecs === null) {
      throw refuse(request, address, 'wrong_token', unauthorized(reply));
    }
    const message = 'too many wrong tokens from this address';
    const error = requestError('too_many_attempts', message, { retryAfterSecs });
    throw refuse(request, address, 'too_many_wrong_tokens', error);
  };
  const countRequest = (request: FastifyRequest, reply: FastifyReply, identity: Identity): void => {
    const rate = rates.take(idOf(identity.principal), identity.rate);
    if (rate.ok) {
      reply.header('x-ratelimit-limit', rate.limit).header('x-ratelimit-remaining', rate.remaining);
      return;
    }
    const { retryAfterSecs } = rate;
    const message = `more requests than ${identity.rate.perMinute} a minute and a burst of ${identity.rate.burst}`;
    const error = vaultError('rate_limited', message, { retryAfterSecs });
    throw refuse(request, addressOf(request), 'rate', error);
  };
  const requirePermission = (request: Asked, permission: Permission, resource: Resource): void => {
    const { principal } = found(known.get(request.raw));
    if (can(principal, permission, resource)) return;
    // A key that is for other agents is not told which there are.
    if (can(principal, permission, { ...resource, agentId: boundAgentOf(principal) })) {
      throw requestError('not_found', 'there is no such agent');
    }
    throw requestError('forbidden', `this needs the permission ${permission}`);
  };
  const guard = (permission: Permission, config: FastifyContextConfig): onRequestAsyncHookHandler =>
    async function knock(request, reply) {
      const identity = await identify(request, reply);
      known.set(request.raw, identity);
      if (config.isUncounted !== true) countRequest(request, reply, identity);
      const agentId =
        config.findsAgent === true ? boundAgentOf(identity.principal) : agentOf(request);
      requirePermission(request, permission, { agentId });
    };

  app.addHook('onRequest', (request, _reply, done) => {
    addresses.set(request.raw, entrance.admit(request).address);
    done();
  });
  app.addHook('onRoute', (route) => {
    const access: Access | undefined = accessOf(route.config);
    if (access === undefined) {
      throw new TypeError(`the route ${String(route.method)} ${route.url} declares no access`);
    }
    if (access === 'public') return;
    const others = [route.onRequest ?? []].flat();
    route.onRequest = [guard(access, route.config ?? {}), ...others];
  });

  return {
    principalOf: ({ raw }) => found(known.get(raw)).principal,
    knownPrincipalOf: ({ raw }) => known.get(raw)?.principal ?? null,
    familyOf: ({ raw }) => found(known.get(raw)).familyId,
    endOf: ({ raw }) => found(known.get(raw)).expiresAtMs,
    addressOf,
    require: requirePermission,
    watch: ({ raw }) => identities.watch(found(known.get(raw))),
  };
}

function agentOf({ params }: FastifyRequest): string | undefined {
  const isNamed = typeof params === 'object' && params !== null && 'agent_id' in params;
  return isNamed && typeof params.agent_id === 'string' ? params.agent_id : undefined;
}

function boundAgentOf(principal: Principal): string | undefined {
  return agentsOf(principal)?.[0];
}

export function idOf(principal: Principal): string {
  return principal.kind === 'user' ? principal.userId : principal.keyId;
}

// The same answer whatever is wrong, so that it tells nothing about the token.
function unauthorized(reply: FastifyReply): AppError {
  reply.header('www-authenticate', 'Bearer');
  return requestError('unauthorized', 'a valid token is needed: Authorization: Bearer <token>');
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the request did not come through this door');
  return value;
}
