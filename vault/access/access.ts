// Whom a route is for. A route that does not say it cannot be registered.
import type { Permission } from '../permission/permission.ts';

/** `public` asks for no token, but for a right address and host as all do. */
export type Access = 'public' | Permission;

declare module 'fastify' {
  // oxlint-disable-next-line typescript/consistent-type-definitions -- only an interface can be added to
  interface FastifyContextConfig {
    access?: Access;
    /** It does not count against the rate limit: probes, and streams that stay open. */
    isUncounted?: boolean;
    /** The agent is that of a thing which is looked up: the route asks for the permission again, once it knows. */
    findsAgent?: boolean;
  }
}

export function accessOf(routeConfig: unknown): Access | undefined {
  return declaredBy(routeConfig).access;
}

/** Whether a route tells how the vault is, or what it can: also while it is stopping. */
export function isForProbes(routeConfig: unknown): boolean {
  const { access, isUncounted = false } = declaredBy(routeConfig);
  return access === 'public' && isUncounted;
}

function declaredBy(routeConfig: unknown): { access?: Access; isUncounted?: boolean } {
  return typeof routeConfig === 'object' && routeConfig !== null ? routeConfig : {};
}
