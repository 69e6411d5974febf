// Whether the vault lives and whether it works. No token is needed.
import { Type } from 'typebox';

import { Nullable } from '#shared/api-schema.ts';
import type { HttpApp } from '#shared/http-server.ts';
import { Answer, answer } from '#shared/vault-api.ts';

import type { Health } from '../health.ts';
import { vaultError } from '../vault-errors.ts';

const Liveness = Type.Object({ alive: Type.Literal(true) }, { title: 'Liveness' });

const Readiness = Type.Object(
  {
    ready: Type.Boolean(),
    parts: Type.Array(
      Type.Object({ name: Type.String(), ok: Type.Boolean(), detail: Nullable(Type.String()) }),
    ),
  },
  { title: 'Readiness' },
);

const retryAfterSecs = 5;

export async function healthRoutes(app: HttpApp, { health }: { health: Health }): Promise<void> {
  const config = { access: 'public', isUncounted: true } as const;

  app.get(
    '/health/live',
    { config, schema: { response: { 200: Answer(Liveness) } } },
    (_request, reply) => {
      void reply.send(answer({ alive: true } as const));
    },
  );
  app.get(
    '/health/ready',
    { config, schema: { response: { 200: Answer(Readiness) } } },
    async (_request, reply) => {
      const { ok, parts } = await health.readiness();
      if (ok) return reply.send(answer({ ready: true, parts }));
      const broken = parts
        .filter((part) => !part.ok)
        .map(({ name, detail }) => `${name}: ${detail}`);
      const message = `the vault does not work: ${broken.join('; ')}`;
      throw vaultError('unavailable', message, { retryAfterSecs, details: { parts } });
    },
  );
}
