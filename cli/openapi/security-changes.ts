// Who may call an operation: any change of it breaks somebody.
import { isDeepStrictEqual } from 'node:util';

import type { ApiOperation, OpenApiDocument } from '#shared/api-document/openapi.ts';

import type { ComparedDocuments } from './schema-changes.ts';

export function securityChanges(
  before: ApiOperation,
  after: ApiOperation,
  documents: ComparedDocuments,
): string[] {
  const old = securityOf(before, documents.before);
  const now = securityOf(after, documents.after);
  return isDeepStrictEqual(old, now)
    ? []
    : [`security was ${JSON.stringify(old)} and is ${JSON.stringify(now)}`];
}

function securityOf({ security = [] }: ApiOperation, { components }: OpenApiDocument): unknown {
  return security.map((requirement) =>
    Object.entries(requirement).map(([name, scopes]) => ({
      name,
      ...(scopes.length === 0 ? {} : { scopes }),
      ...kindOfScheme(components.securitySchemes?.[name]),
    })),
  );
}

function kindOfScheme(scheme: unknown): object {
  if (typeof scheme !== 'object' || scheme === null) return {};
  const { description: _description, ...kind }: { description?: unknown } = scheme;
  return kind;
}
