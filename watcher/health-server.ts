// How the watcher is, for this machine alone.
import { createHttpServer } from '#shared/http-server.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { newId } from '#shared/ids.ts';
import type { Log } from '#shared/log.ts';

export type WatcherHealth = {
  vault: 'stream' | 'polling' | 'away';
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
    void reply.code(now.vault === 'away' ? 503 : 200).send({ ok: now.vault !== 'away', ...now });
  });
  return app;
}
