// The document of an HTTP API, OpenAPI 3.1: made from the schemas of the routes when it is first asked for.
import type { RouteOptions } from 'fastify';

import type { HttpApp } from '../http-server.ts';
import type { DocumentedRoute, DocumentParts } from './document-parts.ts';

export type ApiDocument = {
  /** As it is served; the same each time. */
  text: () => Promise<string>;
};

export type KnownRoute = Pick<RouteOptions, 'url' | 'schema'> &
  DocumentedRoute & {
    /** As the document writes it, such as `/runs/{run_id}`. */
    path: string;
  };

/**
 * To be called before any route is registered. A route with `hide` in its schema is not in the document. The parts are read late: they and
 * what writes them are a twentieth of what a start loads, and most services are never asked.
 */
export function createApiDocument(
  app: HttpApp,
  readParts: () => Promise<DocumentParts>,
): ApiDocument {
  const routes: KnownRoute[] = [];
  app.addHook('onRoute', ({ method, url, schema, config = {} }) => {
    if (method === 'HEAD' || schema?.hide === true) return;
    const path = url.replaceAll(/:(\w+)/g, '{$1}');
    const known = { url, path, config, ...(schema === undefined ? {} : { schema }) };
    for (const each of [method].flat()) routes.push({ ...known, method: each });
  });
  let text: Promise<string> | null = null;
  return { text: () => (text ??= write(routes, readParts)) };
}

async function write(
  routes: readonly KnownRoute[],
  readParts: () => Promise<DocumentParts>,
): Promise<string> {
  const { writeDocument } = await import('./written-document.ts');
  return writeDocument(routes, await readParts());
}
