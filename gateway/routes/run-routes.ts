import { clientGoneSignal } from '#shared/client-gone.ts';
import { requestError } from '#shared/errors.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Door } from '../access/door.ts';
import { RunAnswer } from '../runs/run-answer.ts';
import { RunRequest } from '../runs/run-request.ts';
import type { RunService } from '../runs/run-service.ts';

export type RunRouteOptions = { runs: RunService; door: Door; bodyLimitBytes: number };

export async function runRoutes(
  app: HttpApp,
  { runs, door, bodyLimitBytes }: RunRouteOptions,
): Promise<void> {
  app.post(
    '/run',
    {
      config: { guard: 'app' },
      bodyLimit: bodyLimitBytes,
      schema: { body: RunRequest, response: { 200: RunAnswer } },
    },
    (request, reply) => {
      // Ignoring it would let a retry pay twice.
      if (request.headers['idempotency-key'] !== undefined) {
        throw requestError('invalid_request', 'this version does not know Idempotency-Key yet', {
          details: { field: 'Idempotency-Key' },
        });
      }
      return runs.execute({
        app: door.appOf(request),
        address: door.addressOf(request),
        requestId: request.id,
        request: request.body,
        clientGone: clientGoneSignal(reply),
      });
    },
  );
}
