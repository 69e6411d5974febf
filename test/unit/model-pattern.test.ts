import { expect, test } from 'vitest';

import { allowsModel, isModelName, isModelPattern } from '../../gateway/access/model-pattern.ts';

test.each([
  ['sonnet', true],
  ['claude-opus-4-5', true],
  ['claude-sonnet-4-5[1m]', true],
  ['claude-*', true],
  ['opus-4', false],
  ['Sonnet', false],
  ['claude', false],
  ['', false],
  ['*', false],
])('sonnet,claude-* allows %j: %s', (model, expected) => {
  expect(allowsModel(['sonnet', 'claude-*'], model)).toBe(expected);
});

test('an exact name does not cover a prefix', () => {
  expect(allowsModel(['claude-opus'], 'claude-opus*')).toBe(false);
  expect(allowsModel(['claude-opus*'], 'claude-opus*')).toBe(true);
  expect(allowsModel(['*'], '*')).toBe(true);
});

test.each([
  '--dangerously-skip-permissions',
  'x y',
  'a'.repeat(300),
  'sonnet\n',
  'sоnnet',
  '',
  '*',
  'a\0',
])('AA-09: %j is no model', (text) => {
  expect(isModelName(text)).toBe(false);
});

test.each([
  ['*', true],
  ['claude-*', true],
  ['sonnet', true],
  ['cl*ude', false],
  ['**', false],
  ['-*', false],
])('%s is a pattern: %s', (text, expected) => {
  expect(isModelPattern(text)).toBe(expected);
});
