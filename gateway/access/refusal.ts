// Nobody is turned away without one line in the log, which never holds what was presented.
import type { FastifyRequest } from 'fastify';

import type { AppError } from '#shared/errors.ts';
import type { Log } from '#shared/log.ts';

export const refusalReasons = [
  'unclear_address',
  'address',
  'host',
  'origin',
  'token_in_url',
  'no_token',
  'wrong_token',
  'too_many_wrong_tokens',
  'admin_token',
  'app_token',
  'address_of_app',
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

/** Logs the refusal and gives back the error, to be thrown. */
export type Refuse = (
  request: FastifyRequest,
  address: string | null,
  reason: RefusalReason,
  error: AppError,
) => AppError;

export function createRefuse(log: Log, onRefused: (reason: RefusalReason) => void): Refuse {
  return (request, address, reason, error) => {
    onRefused(reason);
    const route = request.routeOptions.url ?? null;
    log.warn(
      { address, reason, code: error.code, request_id: request.id, method: request.method, route },
      'door refused',
    );
    return error;
  };
}
