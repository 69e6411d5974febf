// Values and limits of a schema that changed in a way that breaks a client.
import { isDeepStrictEqual } from 'node:util';

import type { ApiSchema } from '#shared/api-document/openapi.ts';

export type Side = 'request' | 'answer';
type Values = readonly unknown[] | undefined;

export function valueChanges(before: Values, after: Values, at: string, side: Side): string[] {
  if (before === undefined && after === undefined) return [];
  if (before === undefined) {
    return side === 'request' ? [`${at}: must be one of ${JSON.stringify(after)} now`] : [];
  }
  if (after === undefined) {
    return side === 'request'
      ? []
      : [`${at}: may be something else than ${JSON.stringify(before)} now`];
  }
  const lost = without(before, after).map((value) =>
    side === 'request'
      ? `${at}: ${JSON.stringify(value)} is not taken any more`
      : `${at}: ${JSON.stringify(value)} does not come any more`,
  );
  const added = without(after, before).map(
    (value) => `${at}: ${JSON.stringify(value)} may come now`,
  );
  return side === 'request' ? lost : [...lost, ...added];
}

function without(values: readonly unknown[], others: readonly unknown[]): unknown[] {
  return values.filter((value) => !others.some((other) => isDeepStrictEqual(value, other)));
}

const lowerLimits = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties'];
const upperLimits = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties'];
const forms = [
  'pattern',
  'format',
  'multipleOf',
  'uniqueItems',
  'contentMediaType',
  'contentEncoding',
];

/** Requests may not be limited more than they were, answers not less. */
export function limitChanges(
  before: ApiSchema,
  after: ApiSchema,
  at: string,
  side: Side,
): string[] {
  const [wanted, given] = side === 'request' ? [before, after] : [after, before];
  const isBeyond = (name: string): boolean => {
    if (lowerLimits.includes(name))
      return number(given[name], -Infinity) > number(wanted[name], -Infinity);
    if (upperLimits.includes(name))
      return number(given[name], Infinity) < number(wanted[name], Infinity);
    return given[name] !== undefined && given[name] !== wanted[name];
  };
  return [...lowerLimits, ...upperLimits, ...forms]
    .filter(isBeyond)
    .map((name) => `${at}: ${name} was ${said(before[name])} and is ${said(after[name])}`);
}

function number(limit: unknown, otherwise: number): number {
  return typeof limit === 'number' ? limit : otherwise;
}

function said(limit: unknown): string {
  return limit === undefined ? 'not there' : JSON.stringify(limit);
}
