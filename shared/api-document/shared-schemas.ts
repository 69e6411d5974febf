// Schemas that have a title stand in the document once, under it; everywhere else is a reference.
import { isDeepStrictEqual } from 'node:util';

import type { ApiComponents, ApiSchema, OpenApiDocument } from './openapi.ts';

/** Values of these are data, whatever they look like. */
const dataKeywords = new Set(['example', 'examples', 'default', 'const', 'enum']);
/** Keys in these are names, not keywords. */
const namingKeywords = new Set(['properties', 'schemas']);

type Shared = Map<string, ApiSchema>;

export function shareSchemas(document: OpenApiDocument): OpenApiDocument {
  const shared: Shared = new Map();
  const paths = refer(document.paths, shared);
  const components: ApiComponents = refer(document.components, shared);
  const schemas = Object.fromEntries([...shared].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { ...document, paths, components: { schemas, ...components } };
}

function refer<T>(node: T, shared: Shared): T {
  return JSON.parse(JSON.stringify(referNode(node, shared, false)));
}

function referNode(node: unknown, shared: Shared, keysAreNames: boolean): unknown {
  if (Array.isArray(node)) return node.map((each: unknown) => referNode(each, shared, false));
  if (typeof node !== 'object' || node === null) return node;
  const parts = Object.entries(node).map(([key, value]: [string, unknown]) => {
    const isData = !keysAreNames && dataKeywords.has(key);
    return [
      key,
      isData ? value : referNode(value, shared, !keysAreNames && namingKeywords.has(key)),
    ];
  });
  const whole: ApiSchema = Object.fromEntries(parts);
  return keysAreNames || typeof whole.title !== 'string'
    ? whole
    : share(whole, whole.title, shared);
}

function share({ title: _title, ...schema }: ApiSchema, title: string, shared: Shared): ApiSchema {
  const known = shared.get(title);
  const { description } = schema;
  if (known === undefined) shared.set(title, schema);
  else if (!isSameShape(known, schema)) throw new TypeError(`two schemas are called ${title}`);
  const isSaid = known === undefined || known.description === description;
  return { $ref: `#/components/schemas/${title}`, ...(isSaid ? {} : { description }) };
}

/** Whether they differ in words only. */
function isSameShape(one: ApiSchema, other: ApiSchema): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

function plain({ description: _description, examples: _examples, ...shape }: ApiSchema): unknown {
  return JSON.parse(JSON.stringify(shape));
}
