import { expect, test } from 'vitest';

import { decideUpdate } from '../../cli/openapi/document-update.ts';
import type { DocumentUpdate } from '../../cli/openapi/document-update.ts';

function documentWith(...paths: string[]): string {
  const operations = paths.map((path) => [path, { post: { responses: {} } }]);
  return JSON.stringify({ paths: Object.fromEntries(operations), components: {} });
}

const nothingSaid = '## Unreleased\n';
const document = { service: 'gateway', file: 'docs/openapi.json' };

function update(served: string, committed: string | null, changelog = nothingSaid): DocumentUpdate {
  return decideUpdate(served, committed, changelog, document);
}

function updateWithLess(changelog: string): DocumentUpdate {
  return update(documentWith('/run'), documentWith('/run', '/runs'), changelog);
}

test('a document that has not changed is not written', () => {
  expect(update(documentWith('/run'), documentWith('/run'))).toEqual({
    ...{ kind: 'same', message: 'docs/openapi.json is what the gateway serves.' },
  });
});

test('the first document, and one that breaks nothing, is written', () => {
  expect(update(documentWith('/run'), null).kind).toBe('write');
  const more = documentWith('/run', '/runs');
  expect(update(more, documentWith('/run')).kind).toBe('write');
});

test('one that breaks apps is written only when that is announced', () => {
  expect(updateWithLess(nothingSaid)).toMatchObject({
    kind: 'refuse',
    message: expect.stringContaining('POST /runs: is gone'),
  });
  expect(updateWithLess(`${nothingSaid}- Breaking: \`POST /runs\` is gone.`).kind).toBe('write');
});

test('a committed document that a merge left torn is not taken for none', () => {
  expect(update(documentWith('/run'), '<<<<<<< ours')).toMatchObject({
    kind: 'refuse',
    message: expect.stringContaining('is not JSON'),
  });
});
