// How the text of an environment variable becomes a value that only the gateway has.
import type { ValueKind } from '#shared/config/value-kinds.ts';

import { isModelName, isModelPattern } from './access/model-pattern.ts';

export const modelName: ValueKind<string> = {
  expected: 'the name of a model',
  parse: (text) => (isModelName(text) ? text : undefined),
};

export const modelPattern: ValueKind<string> = {
  expected: 'names of models, or prefixes ending in *, separated by commas',
  parse: (text) => (isModelPattern(text) ? text : undefined),
};
