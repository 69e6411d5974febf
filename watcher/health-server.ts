// How the watcher is, for this machine alone.
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';

import type { IntakeState } from './intake/event-intake.ts';

export type WatcherHealth = {
  vault: IntakeState;
  open_messages: number;
  dead_letters: number;
  agents: number;
};

const requestTimeoutMs = 5000;

/** Does not listen yet. */
export function createHealthServer(health: () => WatcherHealth, log: Log): HttpApp {
  const { app } = createHttpServer({
    ...{ log, errorEnvelope: { ok: false }, bodyLimitBytes: 1024, requestTimeoutMs, newId },
  });
  app.get('/livez', (_request, reply) => {
    void reply.send({ ok: true });
  });
  app.get('/readyz', (_request, reply) => {
    const now = health();
    const ok = now.vault === 'stream' || now.vault === 'polling';
    void reply.code(ok ? 200 : 503).send({ ok, ...now });
  });
  return app;
}
