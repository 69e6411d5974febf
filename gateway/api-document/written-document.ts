// The document, written out: what the schemas of the routes make of it, and what is said of each route.
import { readFile } from 'node:fs/promises';

import { createBareDocument } from '#shared/api-document/bare-document.ts';
import type { ApiOperation, ApiPath, OpenApiDocument } from '#shared/api-document/openapi.ts';
import { shareSchemas } from '#shared/api-document/shared-schemas.ts';

import type { KnownRoute } from './api-document.ts';
import { answerHeaders, requestHeaders } from './api-headers.ts';
import { completeOperation, errorCodesOf } from './completed-operation.ts';
import { errorComponents } from './error-answers.ts';
import { tags } from './operation.ts';
import type { Operation, Operations } from './operation.ts';
import { adminOperations } from './operations/admin-operations.ts';
import { fileOperations } from './operations/file-operations.ts';
import { runOperations } from './operations/run-operations.ts';
import { serviceOperations } from './operations/service-operations.ts';
import { sessionOperations } from './operations/session-operations.ts';

const operations: Operations = {
  ...runOperations,
  ...sessionOperations,
  ...fileOperations,
  ...adminOperations,
  ...serviceOperations,
};

export async function writeDocument(routes: readonly KnownRoute[]): Promise<string> {
  const [bare, version] = await Promise.all([createBareDocument(routes), readVersion()]);
  return `${JSON.stringify(complete(bare, version, routes), null, 2)}\n`;
}

function complete(
  bare: OpenApiDocument,
  version: string,
  routes: readonly KnownRoute[],
): OpenApiDocument {
  const described = routesInOrder(routes);
  const paths: Record<string, ApiPath> = {};
  for (const { route, operation } of described) {
    const method = route.method.toLowerCase();
    const found = bare.paths[route.path]?.[method] ?? noOperation;
    const completed = completeOperation(found, operation, route);
    paths[route.path] = { ...paths[route.path], [method]: completed };
  }
  const used = new Set(described.map(({ operation }) => operation.tag));
  const codes = described.map(({ route, operation }) => errorCodesOf(operation, route));
  return shareSchemas({
    openapi: '3.1.0',
    info: { title: 'Gatehouse gateway', version, description: introduction },
    tags: Object.entries(tags)
      .map(([name, description]) => ({ name, description }))
      .filter(({ name }) => [...used].some((tag) => tag === name)),
    paths,
    components: {
      parameters: requestHeaders,
      headers: answerHeaders,
      ...errorComponents(codes),
      securitySchemes,
    },
  });
}

const noOperation: ApiOperation = { responses: {} };

type Described = { route: KnownRoute; operation: Operation };

/** In the order in which they are described. A route without a description, or one that is not there, is a mistake of ours. */
function routesInOrder(routes: readonly KnownRoute[]): Described[] {
  const byKey = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  const described = Object.entries(operations).map(([key, operation]) => {
    const route = byKey.get(key);
    if (route === undefined) throw new TypeError(`there is no route ${key}, which is described`);
    byKey.delete(key);
    return { route, operation };
  });
  const [undescribed] = byKey.keys();
  if (undescribed === undefined) return described;
  throw new TypeError(`gateway/api-document/operations/ says nothing of ${undescribed}`);
}

const introduction = [
  'Gatehouse runs Claude Code for small apps on your own network: each run in its own sandbox, behind a durable queue.',
  'An app asks with its bearer token. Every answer that is not 2xx has one form, with a `code` for programs and a `message` for people; README has the table of codes.',
  'A path that is not here answers 404, a method that is not here 405.',
].join('\n\n');

const securitySchemes = {
  appToken: {
    type: 'http',
    scheme: 'bearer',
    description: 'The token of an app, from `POST /admin/tokens`: it begins with `cf_`.',
  },
  adminToken: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The token of the operator: ADMIN_BOOTSTRAP_TOKEN, or the file `admin-token` in the data directory.',
  },
};

async function readVersion(): Promise<string> {
  const manifest = new URL('../../package.json', import.meta.url);
  const { version }: { version: string } = JSON.parse(await readFile(manifest, 'utf8'));
  return version;
}
