// Whether the committed document may be replaced by the one that is served.
import type { OpenApiDocument } from '#shared/api-document/openapi.ts';

import { breakingMessage, unannounced } from './announcement.ts';
import { breakingChanges } from './breaking-changes.ts';
import type { CommittedDocument } from './committed-documents.ts';

type Named = Pick<CommittedDocument, 'service' | 'file'>;

export type DocumentUpdate = { kind: 'same' | 'write' | 'refuse'; message: string };

/** @param committed null where there is none yet. */
export function decideUpdate(
  served: string,
  committed: string | null,
  changelog: string,
  { service, file }: Named,
): DocumentUpdate {
  if (served === committed) {
    return { kind: 'same', message: `${file} is what the ${service} serves.` };
  }
  const message = committed === null ? null : refusal(served, committed, changelog, file);
  if (message !== null) return { kind: 'refuse', message };
  return {
    kind: 'write',
    message: `${file} is written. Look at its diff, and commit it.`,
  };
}

function refusal(
  served: string,
  committed: string,
  changelog: string,
  file: string,
): string | null {
  const [before, after] = [parse(committed), parse(served)];
  if (before === null || after === null) return notJson(file);
  const surprises = unannounced(breakingChanges(before, after), changelog);
  return surprises.length === 0 ? null : breakingMessage(surprises, file);
}

function notJson(file: string): string {
  return `${file} is not JSON; after a merge, perhaps. Take it from one side with git checkout, then run: npm run openapi`;
}

function parse(text: string): OpenApiDocument | null {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
