// Properties of an object that changed in a way that breaks a client.
import type { ApiSchema } from '#shared/api-document/openapi.ts';

import type { ComparedSchemas } from './schema-changes.ts';
import type { Side } from './value-changes.ts';

export function objectChanges(
  { before, after, at }: ComparedSchemas,
  side: Side,
  compare: (parts: ComparedSchemas) => string[],
): string[] {
  const place = (name: string): string => (at === '' ? name : `${at}.${name}`);
  const olds = before.properties ?? {};
  const news = after.properties ?? {};
  const gone = Object.keys(olds).filter((name) => !Object.hasOwn(news, name));
  const kept = Object.keys(olds).filter((name) => Object.hasOwn(news, name));
  const isRequest = side === 'request';
  const [needed, given] = [required(before), required(after)];
  const owed = isRequest ? given.difference(needed) : needed.difference(given);
  return [
    ...gone.map((name) => `${place(name)}: ${isRequest ? 'is not taken any more' : 'is gone'}`),
    ...[...owed]
      .filter((name) => !gone.includes(name))
      .map((name) => `${place(name)}: ${isRequest ? 'is required now' : 'may be missing now'}`),
    ...kept.flatMap((name) =>
      compare({ before: olds[name] ?? {}, after: news[name] ?? {}, at: place(name) }),
    ),
    ...otherProperties(before, after, isRequest, place('*'), compare),
  ];
}

/** An answer may have more than its schema says; what the schema says of it must stay. */
function otherProperties(
  before: ApiSchema,
  after: ApiSchema,
  isRequest: boolean,
  at: string,
  compare: (parts: ComparedSchemas) => string[],
): string[] {
  const old = before.additionalProperties ?? true;
  const now = after.additionalProperties ?? true;
  if (old === false) return [];
  if (now === false) return isRequest ? [`${at}: is not taken any more`] : [];
  if (old === true && now === true) return [];
  return compare({ before: old === true ? {} : old, after: now === true ? {} : now, at });
}

function required({ required: names = [] }: ApiSchema): Set<string> {
  return new Set(names);
}
