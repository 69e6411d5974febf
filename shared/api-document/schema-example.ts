// A value that fits a schema, made of the examples of its parts.
import type { JsonValue } from '../json-value.ts';
import type { ApiSchema } from './openapi.ts';

export function exampleOf(schema: ApiSchema): JsonValue {
  const [given] = [
    ...(schema.examples ?? []),
    ...[schema.const, schema.default].filter((value) => value !== undefined),
    ...(schema.enum ?? []),
  ];
  if (given !== undefined) return given;
  const [variant] = schema.anyOf ?? schema.oneOf ?? [];
  if (variant !== undefined) return exampleOf(variant);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, part]) => [name, exampleOf(part)]),
      );
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(schema.items)];
    case 'integer':
    case 'number':
      return typeof schema['minimum'] === 'number' ? schema['minimum'] : 0;
    case 'boolean':
      return true;
    case 'string':
      return 'text';
    case undefined:
    default:
      return null;
  }
}
