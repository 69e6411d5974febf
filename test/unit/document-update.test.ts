import { expect, test } from 'vitest';

import { decideUpdate } from '../../cli/openapi/document-update.ts';
import type { DocumentUpdate } from '../../cli/openapi/document-update.ts';

function documentWith(...paths: string[]): string {
  const operations = paths.map((path) => [path, { post: { responses: {} } }]);
  return JSON.stringify({ paths: Object.fromEntries(operations), components: {} });
}

const nothingSaid = '## Unreleased\n';

function updateWithLess(changelog: string): DocumentUpdate {
  return decideUpdate(documentWith('/run'), documentWith('/run', '/runs'), changelog);
}

test('a document that has not changed is not written', () => {
  expect(decideUpdate(documentWith('/run'), documentWith('/run'), nothingSaid).kind).toBe('same');
});

test('the first document, and one that breaks nothing, is written', () => {
  expect(decideUpdate(documentWith('/run'), null, nothingSaid).kind).toBe('write');
  const more = documentWith('/run', '/runs');
  expect(decideUpdate(more, documentWith('/run'), nothingSaid).kind).toBe('write');
});

test('one that breaks apps is written only when that is announced', () => {
  expect(updateWithLess(nothingSaid)).toMatchObject({
    kind: 'refuse',
    message: expect.stringContaining('POST /runs: is gone'),
  });
  expect(updateWithLess(`${nothingSaid}- Breaking: \`POST /runs\` is gone.`).kind).toBe('write');
});

test('a committed document that a merge left torn is not taken for none', () => {
  expect(decideUpdate(documentWith('/run'), '<<<<<<< ours', nothingSaid)).toMatchObject({
    kind: 'refuse',
    message: expect.stringContaining('is not JSON'),
  });
});
