import { Type } from 'typebox';

import { HealthSummary } from '#shared/gateway-health-api.ts';
import type { HttpApp } from '#shared/http-server.ts';

import type { Health } from '../health.ts';

const LiveAnswer = Type.Object(
  { ok: Type.Literal(true) },
  { title: 'Live', description: 'the gateway is alive' },
);

const HealthPart = Type.Object({
  name: Type.String({ examples: ['database'] }),
  ok: Type.Boolean({ examples: [true] }),
  message: Type.String({ examples: ['answers'] }),
});

const ReadyAnswer = Type.Object(
  { ok: Type.Boolean({ examples: [true] }), parts: Type.Array(HealthPart) },
  { title: 'Readiness', description: 'each part and whether it works' },
);

export async function healthRoutes(app: HttpApp, { health }: { health: Health }): Promise<void> {
  const config = { guard: 'public' } as const;

  app.get('/livez', { config, schema: { response: { 200: LiveAnswer } } }, () => ({
    ok: true as const,
  }));
  app.get('/healthz', { config, schema: { response: { 200: HealthSummary } } }, () =>
    health.summary(),
  );
  app.get(
    '/readyz',
    { config, schema: { response: { 200: ReadyAnswer, 503: ReadyAnswer } } },
    async (_request, reply) => {
      const parts = await health.parts();
      const ok = parts.every((part) => part.ok);
      return reply.code(ok ? 200 : 503).send({ ok, parts });
    },
  );
}
