// Who may call a route of the gateway, and what it may refuse before it does anything.
import type { DocumentedRoute, RouteAccess } from '#shared/api-document/document-parts.ts';

import type { Guard } from '../access/door.ts';
import type { ErrorCode } from './failures.ts';

const security: Readonly<Record<Guard, RouteAccess['security']>> = {
  public: [],
  app: [{ appToken: [] }],
  admin: [{ adminToken: [] }],
  // Without a token from an address of METRICS_CIDRS.
  metrics: [{ adminToken: [] }, {}],
};

export const securitySchemes = {
  appToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of an app, from `POST /admin/tokens`: it begins with `cf_`.',
  },
  adminToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The token of the operator: ADMIN_BOOTSTRAP_TOKEN, or the file `admin-token` in the data directory.',
  },
};

const ofEveryRoute: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden',
  'wrong_host',
  'internal',
];
const ofRoutesWithToken: readonly ErrorCode[] = ['unauthorized', 'too_many_attempts'];
const ofRoutesThatDrain: readonly ErrorCode[] = ['draining'];
const ofRoutesWithBody: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

export function accessOf({ method, config }: DocumentedRoute): RouteAccess {
  const { guard = 'public' } = config;
  return {
    security: security[guard],
    errors: [
      ...ofEveryRoute,
      ...(guard === 'public' ? [] : ofRoutesWithToken),
      ...(guard === 'app' || guard === 'admin' ? ofRoutesThatDrain : []),
      ...(method === 'GET' ? [] : ofRoutesWithBody),
    ],
  };
}
