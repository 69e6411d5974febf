// The document of the HTTP API, OpenAPI 3.1: made from the schemas of the routes when it is first asked for.
import type { RouteOptions } from 'fastify';

import type { HttpApp } from '#shared/http-server.ts';

import type { Guard } from '../access/door.ts';

export type ApiDocument = {
  /** As it is served; the same each time. */
  text: () => Promise<string>;
};

export type KnownRoute = Pick<RouteOptions, 'url' | 'schema'> & {
  /** As the document writes it, such as `/runs/{run_id}`. */
  path: string;
  method: string;
  guard: Guard;
};

/** To be called before any route is registered. A route with `hide` in its schema is not in the document. */
export function createApiDocument(app: HttpApp): ApiDocument {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema, config }) => {
    if (method === 'HEAD' || schema?.hide === true) return;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    const guard = config?.guard ?? 'public';
    const known = { url, path, guard, ...(schema === undefined ? {} : { schema }) };
    for (const each of [method].flat()) routes.push({ ...known, method: each });
  });
  let text: Promise<string> | null = null;
  return { text: () => (text ??= write(routes)) };
}

/** Loaded late: it is a twentieth of what a start loads, and most gateways are never asked. */
async function write(routes: readonly KnownRoute[]): Promise<string> {
  const { writeDocument } = await import('./written-document.ts');
  return writeDocument(routes);
}
