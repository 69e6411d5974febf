// Who is let in. A route says for whom it is, or it cannot be registered.
import type { FastifyRequest, onRequestHookHandler } from 'fastify';

import { createEntrance } from '#shared/door/entrance.ts';
import type { EntranceOptions } from '#shared/door/entrance.ts';
import { createRefuse } from '#shared/door/refusal.ts';
import type { HttpApp } from '#shared/http-server.ts';
import type { Log } from '#shared/log.ts';

import type { AppAccess } from './app-lookup.ts';
import type { RefusalReason } from './refusal-reasons.ts';
import { createTokenCheck } from './token-check.ts';
import type { TokenCheckParts } from './token-check.ts';
import { mentionsToken } from './token.ts';

/**
 * `public` routes ask for no token, but for a right address and host as all do. `metrics` is for the admin, and for an address of
 * METRICS_CIDRS without a token.
 */
export type Guard = 'public' | 'app' | 'admin' | 'metrics';

declare module 'fastify' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface FastifyContextConfig {
    guard?: Guard;
  }
}

export type DoorOptions = Required<Omit<EntranceOptions, 'mentionsToken'>> &
  TokenCheckParts & { onRefused: (reason: RefusalReason) => void; log: Log };

export type Door = {
  /** The app that makes a request to a route guarded `app`. */
  appOf(request: Pick<FastifyRequest, 'raw'>): AppAccess;
  /** The client's address; behind a trusted proxy that of the proxy's client. */
  addressOf(request: Pick<FastifyRequest, 'raw'>): string;
  /** When the token of this request ends; null for never. */
  tokenEndOf(request: Pick<FastifyRequest, 'raw'>): string | null;
  /** Gives whether the app of this request may still be answered: its token may be revoked, expire, or be bound to other addresses. */
  watchAccess(request: Pick<FastifyRequest, 'raw'>): () => boolean;
};

/** To be called before any route is registered. */
export function installDoor(app: HttpApp, options: DoorOptions): Door {
  const refuse = createRefuse(options.log, options.onRefused);
  const entrance = createEntrance({ ...options, mentionsToken }, refuse, options.log);
  const tokens = createTokenCheck(options, refuse);
  const addresses = new WeakMap<FastifyRequest['raw'], string>();
  const apps = new WeakMap<FastifyRequest['raw'], AppAccess>();
  /** Requests that need no token because of where they come from. */
  const readers = new WeakSet<FastifyRequest['raw']>();

  function addressOf(request: Pick<FastifyRequest, 'raw'>): string {
    return known(addresses.get(request.raw));
  }

  const requireApp: onRequestHookHandler = (request, reply, done) => {
    apps.set(request.raw, tokens.requireApp(request, reply, addressOf(request)));
    done();
  };
  const requireAdmin: onRequestHookHandler = (request, reply, done) => {
    tokens.requireAdmin(request, reply, addressOf(request));
    done();
  };
  const requireReader: onRequestHookHandler = (request, reply, done) => {
    if (!readers.has(request.raw)) tokens.requireAdmin(request, reply, addressOf(request));
    done();
  };
  const hooksOfGuard = {
    public: [],
    app: [requireApp],
    admin: [requireAdmin],
    metrics: [requireReader],
  };

  app.addHook('onRequest', (request, _reply, done) => {
    const isForMetrics = request.routeOptions.config.guard === 'metrics';
    const { address, isReader } = entrance.admit(request, isForMetrics);
    addresses.set(request.raw, address);
    if (isReader) readers.add(request.raw);
    done();
  });
  app.addHook('onRoute', (route) => {
    const guard = route.config?.guard;
    if (guard === undefined) {
      throw new TypeError(`the route ${String(route.method)} ${route.url} declares no guard`);
    }
    const others = [route.onRequest ?? []].flat();
    route.onRequest = [...new Set([...hooksOfGuard[guard], ...others])];
  });

  return {
    appOf: (request) => known(apps.get(request.raw)),
    addressOf,
    tokenEndOf: (request) => tokens.endOf(request),
    watchAccess: (request) => {
      const address = addressOf(request);
      return () => tokens.isStillGood(request, address);
    },
  };
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the request did not come through this door');
  return value;
}
