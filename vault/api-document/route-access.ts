// Who may call a route of the vault, and what it may refuse before it does anything.
import type { DocumentedRoute, RouteAccess } from '#shared/api-document/document-parts.ts';
import { refreshCookie } from '#shared/vault-identity-api.ts';

import { isForProbes } from '../access/access.ts';
import { isKeyScope } from '../permission/key-scope.ts';
import type { Permission } from '../permission/permission.ts';
import { roleHas, roles } from '../permission/role.ts';
import type { AnswerHeader } from './api-headers.ts';
import type { ErrorCode } from './failures.ts';

export const securitySchemes = {
  accessToken: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'What somebody who has signed in carries for half an hour.',
  },
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    description:
      'A key of a program: it begins with `cv_prod_` or `cv_dev_`, does what its scopes name, and never more than its owner may.',
  },
  refreshCookie: {
    type: 'apiKey',
    in: 'cookie',
    name: refreshCookie,
    description: 'What keeps a browser signed in for a week; no script can read it.',
  },
  csrfToken: {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description:
      'The `csrf_token` of the answer to the sign-in, which stands in a cookie as well: it proves that a request is of the page itself.',
  },
};

/** What a browser proves its sign-in with where it has no access token. */
export const cookieSecurity: RouteAccess['security'] = [{ refreshCookie: [], csrfToken: [] }];

const ofEveryRoute: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden',
  'wrong_host',
  'internal',
];
const ofRoutesWithToken: readonly ErrorCode[] = ['unauthorized', 'too_many_attempts'];
const ofRoutesThatDrain: readonly ErrorCode[] = ['draining', 'unavailable'];
const ofCountedRoutes: readonly ErrorCode[] = ['rate_limited'];
const ofRoutesThatWrite: readonly ErrorCode[] = [
  'payload_too_large',
  'unsupported_media_type',
  'disk_full',
];
const headersOfCountedRoutes: readonly AnswerHeader[] = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
];

export function accessOf({ method, config }: DocumentedRoute): RouteAccess {
  const { access = 'public', isUncounted = false } = config;
  const isPublic = access === 'public';
  const isCounted = !isPublic && !isUncounted;
  return {
    security: isPublic ? [] : securityOf(access),
    errors: [
      ...ofEveryRoute,
      ...(isPublic ? [] : ofRoutesWithToken),
      ...(isForProbes(config) ? [] : ofRoutesThatDrain),
      ...(isCounted ? ofCountedRoutes : []),
      ...(method === 'GET' ? [] : ofRoutesThatWrite),
    ],
    ...(isPublic ? {} : { needs: needOf(access) }),
    answerHeaders: isCounted ? headersOfCountedRoutes : [],
  };
}

/** The permission stands where the scopes of OAuth would. */
export function securityOf(permission: Permission): RouteAccess['security'] {
  const ofPeople = { accessToken: [permission] };
  return isKeyScope(permission) ? [ofPeople, { apiKey: [permission] }] : [ofPeople];
}

function needOf(permission: Permission): string {
  const holders = roles.filter((role) => roleHas(role, permission)).map((role) => `\`${role}\``);
  const keys = isKeyScope(permission) ? 'and keys with this scope' : 'but no key';
  return `Needs the permission \`${permission}\`, which people with the role ${holders.join(' or ')} have, ${keys}.`;
}
