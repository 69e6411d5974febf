// What of a changed schema breaks a client: a request may be refused that was taken, an answer may be one that was never given.
import { isDeepStrictEqual } from 'node:util';

import type { ApiSchema, OpenApiDocument } from '#shared/api-document/openapi.ts';

import { objectChanges } from './object-changes.ts';
import { allowedValues, fitsKind, kindOf, markOf, variantsOf } from './schema-variants.ts';
import { limitChanges, valueChanges } from './value-changes.ts';
import type { Side } from './value-changes.ts';

export type ComparedDocuments = { before: OpenApiDocument; after: OpenApiDocument };

export type Comparison = ComparedDocuments & {
  side: Side;
  /** References that are being compared: a schema may contain itself. */
  open: readonly string[];
  /** Readers of a stream pass over events that they do not know. */
  isStream: boolean;
};

export type ComparedSchemas = { before: ApiSchema; after: ApiSchema; at: string };

export function schemaChanges(pair: ComparedSchemas, comparison: Comparison): string[] {
  const { before, after, at } = pair;
  const references = `${before.$ref ?? ''} ${after.$ref ?? ''}`;
  if (references !== ' ' && comparison.open.includes(references)) return [];
  const inside = { ...comparison, open: [...comparison.open, references] };
  const befores = variantsOf(before, comparison.before);
  const afters = variantsOf(after, comparison.after);
  const isRequest = comparison.side === 'request';
  const changes = (isRequest ? befores : afters).flatMap((variant) =>
    isRequest
      ? changesToFit(variant, befores, afters, (other) => [variant, other], at, inside)
      : changesToFit(variant, afters, befores, (other) => [other, variant], at, inside),
  );
  return [...changes, ...(isRequest ? [] : lostVariants(befores, afters, at))];
}

/** Why a variant of one side is none of the other; empty when it is. */
function changesToFit(
  variant: ApiSchema,
  siblings: readonly ApiSchema[],
  others: readonly ApiSchema[],
  inOrder: (other: ApiSchema) => [before: ApiSchema, after: ApiSchema],
  at: string,
  comparison: Comparison,
): string[] {
  const isOnly = [siblings, others].every((all) => all.filter(isNotNull).length === 1);
  const candidates = others
    .filter((other) => fitsKind(kindOf(variant), kindOf(other)))
    .filter((other) => isOnly || markOf(other) === markOf(variant))
    .map((other) => variantChanges(...inOrder(other), at, comparison))
    .toSorted((a, b) => a.length - b.length);
  const [closest] = candidates;
  if (closest !== undefined) return closest;
  if (comparison.side === 'request') return [`${at}: ${nameOf(variant)} is not taken any more`];
  return comparison.isStream && markOf(variant) !== ''
    ? []
    : [`${at}: ${nameOf(variant)} may come now`];
}

/** Objects that never come any more, such as a type of event. */
function lostVariants(
  befores: readonly ApiSchema[],
  afters: readonly ApiSchema[],
  at: string,
): string[] {
  if (befores.filter(isNotNull).length < 2) return [];
  return befores
    .filter((before) => markOf(before) !== '')
    .filter((before) => !afters.some((after) => markOf(after) === markOf(before)))
    .map((before) => `${at}: ${nameOf(before)} does not come any more`);
}

/** Both are of one kind. */
function variantChanges(
  before: ApiSchema,
  after: ApiSchema,
  at: string,
  comparison: Comparison,
): string[] {
  const { side } = comparison;
  if (isComposed(before) || isComposed(after)) {
    return isDeepStrictEqual(before, after) ? [] : [`${at}: is put together in another way`];
  }
  const within = (parts: ComparedSchemas): string[] => schemaChanges(parts, comparison);
  return [
    ...valueChanges(allowedValues(before), allowedValues(after), at, side),
    ...limitChanges(before, after, at, side),
    ...objectChanges({ before, after, at }, side, within),
    ...partChanges(before.items, after.items, `${at}[]`, within),
    ...partChanges(before.propertyNames, after.propertyNames, `${at} names`, within),
    ...partChanges(before.contentSchema, after.contentSchema, at, (parts) =>
      schemaChanges(parts, { ...comparison, isStream: true }),
    ),
  ];
}

/** Where there is no schema, everything goes. */
function partChanges(
  before: ApiSchema | undefined,
  after: ApiSchema | undefined,
  at: string,
  compare: (parts: ComparedSchemas) => string[],
): string[] {
  if (before === undefined && after === undefined) return [];
  return compare({ before: before ?? {}, after: after ?? {}, at });
}

function isComposed(schema: ApiSchema): boolean {
  return ['allOf', 'not', 'if', 'patternProperties', 'prefixItems'].some((word) => word in schema);
}

function isNotNull(schema: ApiSchema): boolean {
  return kindOf(schema) !== 'null';
}

function nameOf(variant: ApiSchema): string {
  const mark = markOf(variant);
  return mark === '' ? kindOf(variant) : mark;
}
