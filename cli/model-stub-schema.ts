// The smallest value that a simple JSON Schema accepts, for the stub's structured answers.
import { isRecord } from './model-stub-request.ts';

const deepest = 32;

export function minimalValue(schema: unknown, depth = 0): unknown {
  if (!isRecord(schema) || depth > deepest) return 'stub';
  if ('const' in schema) return schema['const'];
  if ('default' in schema) return schema['default'];
  for (const key of ['enum', 'examples']) {
    const choices = schema[key];
    if (Array.isArray(choices) && choices.length > 0) return choices[0];
  }
  if ('type' in schema) return valueOfType(schema, depth);
  for (const key of ['anyOf', 'oneOf', 'allOf']) {
    const branches = schema[key];
    if (Array.isArray(branches) && branches.length > 0) return minimalValue(branches[0], depth + 1);
  }
  return valueOfType(schema, depth);
}

function valueOfType(schema: Record<string, unknown>, depth: number): unknown {
  const declared = schema['type'];
  const type: unknown = Array.isArray(declared) ? declared[0] : declared;
  switch (type) {
    case 'object':
      return minimalObject(schema, depth);
    case 'array':
      return Array.from({ length: numberAt(schema, 'minItems') }, () =>
        minimalValue(schema['items'], depth + 1),
      );
    case 'integer':
    case 'number':
      return Math.max(
        Math.ceil(numberAt(schema, 'minimum')),
        numberAt(schema, 'exclusiveMinimum', -1) + 1,
      );
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return isRecord(schema['properties'])
        ? minimalObject(schema, depth)
        : 'stub'.padEnd(numberAt(schema, 'minLength'), '.');
  }
}

function minimalObject(schema: Record<string, unknown>, depth: number): Record<string, unknown> {
  const properties = isRecord(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  return Object.fromEntries(
    required.map((name: unknown) => [
      String(name),
      minimalValue(properties[String(name)], depth + 1),
    ]),
  );
}

function numberAt(schema: Record<string, unknown>, key: string, otherwise = 0): number {
  const value = schema[key];
  return typeof value === 'number' ? value : otherwise;
}
