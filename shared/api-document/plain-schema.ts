// A TypeBox schema as it is written into the document, in the words that @fastify/swagger uses for those of routes.
import type { TSchema } from 'typebox';

import type { ApiSchema } from './openapi.ts';

export function plainSchema(schema: TSchema): ApiSchema {
  return JSON.parse(JSON.stringify(schema), (_key, value: unknown) =>
    isRecord(value) ? withoutPattern(value) : value,
  );
}

type RecordSchema = { patternProperties: Record<string, unknown> };

function isRecord(value: unknown): value is RecordSchema {
  return typeof value === 'object' && value !== null && 'patternProperties' in value;
}

function withoutPattern({ patternProperties, ...rest }: RecordSchema): Record<string, unknown> {
  return { ...rest, additionalProperties: Object.values(patternProperties)[0] };
}
