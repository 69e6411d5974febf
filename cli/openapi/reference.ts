// What a `$ref` within a document stands for.
import type { OpenApiDocument } from '#shared/api-document/openapi.ts';

/** Throws for one that leads nowhere. */
export function resolve<T extends object>(node: T | { $ref: string }, document: OpenApiDocument): T;
export function resolve(node: object, document: OpenApiDocument): unknown {
  if (!('$ref' in node) || typeof node.$ref !== 'string') return node;
  let found: unknown = document;
  for (const step of node.$ref.split('/').slice(1)) {
    const name = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) ? found[name] : undefined;
  }
  if (!isObject(found)) throw new Error(`the reference ${node.$ref} leads nowhere`);
  return resolve(found, document);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
