// The document, written out: what the schemas of the routes make of it, and what is said of each route.
import type { KnownRoute } from './api-document.ts';
import { answerHeadersOfAll, requestHeadersOf } from './api-headers.ts';
import { createBareDocument } from './bare-document.ts';
import { completeOperation, errorCodesOf } from './completed-operation.ts';
import type { DocumentParts } from './document-parts.ts';
import { errorComponents } from './error-answers.ts';
import type { ApiOperation, ApiPath, OpenApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import { shareSchemas } from './shared-schemas.ts';

export async function writeDocument(
  routes: readonly KnownRoute[],
  parts: DocumentParts,
): Promise<string> {
  const bare = await createBareDocument(routes);
  return `${JSON.stringify(complete(bare, routes, parts), null, 2)}\n`;
}

function complete(
  bare: OpenApiDocument,
  routes: readonly KnownRoute[],
  parts: DocumentParts,
): OpenApiDocument {
  const described = routesInOrder(routes, parts);
  const paths: Record<string, ApiPath> = {};
  for (const { route, operation } of described) {
    const method = route.method.toLowerCase();
    const found = bare.paths[route.path]?.[method] ?? noOperation;
    const completed = completeOperation(found, operation, route, parts);
    paths[route.path] = { ...paths[route.path], [method]: completed };
  }
  const used = new Set(described.map(({ operation }) => operation.tag));
  const codes = described.map(({ route, operation }) => errorCodesOf(operation, route, parts));
  const { service, info, tags, failures, requestHeaders, answerHeaders, securitySchemes } = parts;
  return shareSchemas({
    openapi: '3.1.0',
    info,
    tags: Object.entries(tags)
      .map(([name, description]) => ({ name, description }))
      .filter(({ name }) => used.has(name)),
    paths,
    components: {
      parameters: { ...requestHeadersOf(service), ...requestHeaders },
      headers: { ...answerHeadersOfAll, ...answerHeaders },
      ...errorComponents(codes, failures),
      securitySchemes,
    },
  });
}

const noOperation: ApiOperation = { responses: {} };

type Described = { route: KnownRoute; operation: Operation };

/** In the order in which they are described. A route without a description, or one that is not there, is a mistake of ours. */
function routesInOrder(
  routes: readonly KnownRoute[],
  { operations, service }: DocumentParts,
): Described[] {
  const byKey = new Map(routes.map((route) => [`${route.method} ${route.path}`, route]));
  const described = Object.entries(operations).map(([key, operation]) => {
    const route = byKey.get(key);
    if (route === undefined) throw new TypeError(`there is no route ${key}, which is described`);
    byKey.delete(key);
    return { route, operation };
  });
  const [undescribed] = byKey.keys();
  if (undescribed === undefined) return described;
  throw new TypeError(`${service}/api-document/operations/ says nothing of ${undescribed}`);
}
