// A schema as the kinds of values that it stands for: one of each `anyOf`, `oneOf` and list of types.
import type { ApiSchema, OpenApiDocument } from '#shared/api-document/openapi.ts';

import { resolve } from './reference.ts';

export function variantsOf(schema: ApiSchema, document: OpenApiDocument): ApiSchema[] {
  const { anyOf, oneOf, ...rest } = resolve(schema, document);
  const parts = anyOf ?? oneOf;
  if (parts !== undefined) return parts.flatMap((part) => variantsOf(part, document));
  if (typeof rest.type === 'string' || rest.type === undefined) return [rest];
  return rest.type.map((type) => ({ ...rest, type }));
}

/** The JSON type, or `any`. */
export function kindOf(schema: ApiSchema): string {
  if (typeof schema.type === 'string') return schema.type;
  const [first, ...others] = new Set(allowedValues(schema)?.map(typeOfValue));
  return first === undefined || others.length > 0 ? 'any' : first;
}

/** Whether every value of the kind is one of the other. */
export function fitsKind(kind: string, other: string): boolean {
  return other === kind || other === 'any' || (kind === 'integer' && other === 'number');
}

/** What tells an object from others beside it: its constants, such as the type of an event. */
export function markOf({ properties = {} }: ApiSchema): string {
  return Object.entries(properties)
    .flatMap(([name, { const: value }]) =>
      value === undefined ? [] : [`${name} ${JSON.stringify(value)}`],
    )
    .join(', ');
}

/** The values that `enum` or `const` leave; undefined for all. */
export function allowedValues({ enum: values, const: value }: ApiSchema): unknown[] | undefined {
  if (value !== undefined) return [value];
  return values === undefined ? undefined : [...values];
}

function typeOfValue(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
