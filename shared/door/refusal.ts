// Nobody is turned away without one line in the log, which never holds what was presented.
import type { FastifyRequest } from 'fastify';

import type { AppError } from '../errors.ts';
import type { Log } from '../log.ts';

/** Why the entrance refuses. Each service adds the reasons of its own. */
export const entranceReasons = [
  'unclear_address',
  'address',
  'host',
  'origin',
  'token_in_url',
] as const;

export type EntranceReason = (typeof entranceReasons)[number];

/** Logs the refusal and gives back the error, to be thrown. */
export type Refuse<Reason extends string> = (
  request: FastifyRequest,
  address: string | null,
  reason: Reason,
  error: AppError,
) => AppError;

export function createRefuse<Reason extends string>(
  log: Log,
  onRefused: (reason: Reason) => void,
): Refuse<Reason> {
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
