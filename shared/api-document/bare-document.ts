// What @fastify/swagger makes of the schemas of routes.
import swagger from '@fastify/swagger';
import { fastify } from 'fastify';
import type { RouteOptions } from 'fastify';

import type { OpenApiDocument } from './openapi.ts';

export type BareRoute = Pick<RouteOptions, 'method' | 'url' | 'schema'>;

/** The routes are shown to it on an app of their own, which serves nobody. */
export async function createBareDocument(routes: readonly BareRoute[]): Promise<OpenApiDocument> {
  const app = fastify();
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => () => '');
  try {
    await app.register(swagger, {
      openapi: { openapi: '3.1.0', info: { title: '', version: '' } },
      convertConstToEnum: false,
    });
    for (const { method, url, schema } of routes) {
      app.route({ method, url, handler: () => '', ...(schema === undefined ? {} : { schema }) });
    }
    await app.ready();
    return JSON.parse(JSON.stringify(app.swagger()));
  } finally {
    await app.close();
  }
}
