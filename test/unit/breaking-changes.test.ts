import { expect, test } from 'vitest';

import type { ApiSchema } from '#shared/api-document/openapi.ts';

import { breakingChanges } from '../../cli/openapi/breaking-changes.ts';
import { changes, documentOf, nullable, object, text, whole } from '../support/changed-document.ts';
import type { Parts } from '../support/changed-document.ts';

test('the same document breaks nothing, whatever is said in it', () => {
  const before = object({ a: nullable(text), b: { enum: ['x', 'y'] } }, ['a']);
  const after: ApiSchema = { ...before, description: 'other words', examples: [{ a: 'b' }] };
  expect(changes({ body: before, answer: before }, { body: after, answer: after })).toEqual([]);
});

test('an operation or a path that is gone is told by its name', () => {
  const before = documentOf();
  const other = { ...before, paths: { '/run': { get: { responses: {} } } } };
  const gone = [{ operation: 'POST /run', change: 'is gone' }];
  expect(breakingChanges(before, other)).toEqual(gone);
  expect(breakingChanges(before, { ...before, paths: {} })).toEqual(gone);
  expect(breakingChanges({ ...before, paths: {} }, before)).toEqual([]);
});

test('who may call it is told when it changes, by scheme or by name', () => {
  const [open, closed] = [{ security: [] }, { security: [{ token: [] }] }];
  const bearer = '[[{"name":"token","type":"http","scheme":"bearer"}]]';
  expect(changes(open, closed)).toEqual([`security was [] and is ${bearer}`]);
  expect(changes(closed, open)).toEqual([`security was ${bearer} and is []`]);
  expect(changes(closed, { ...closed, scheme: 'basic' })).toHaveLength(1);
  expect(changes(closed, closed)).toEqual([]);
});

test('schemas are compared through their references, also one that contains itself', () => {
  const body = { $ref: '#/components/schemas/Tree' };
  const tree = (leaf: ApiSchema): Parts => ({
    body,
    schemas: { Tree: object({ leaf, branches: { type: 'array', items: body } }) },
  });
  expect(changes(tree(text), tree(text))).toEqual([]);
  expect(changes(tree(text), tree(whole))).toEqual(['body.leaf: string is not taken any more']);
  expect(changes(tree(text), { body: object({ leaf: text, branches: {} }) })).toEqual([]);
});

test('what cannot be compared part by part must stay the same', () => {
  const before = { allOf: [text, { minLength: 1 }] };
  expect(changes({ body: before }, { body: before })).toEqual([]);
  expect(changes({ body: before }, { body: { allOf: [text] } })).toEqual([
    'body: is put together in another way',
  ]);
});
