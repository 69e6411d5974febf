import { describe, expect, test } from 'vitest';

import type { RunRequest } from '#shared/gateway-run-api.ts';

import type { AppAccess } from '../../gateway/access/app-lookup.ts';
import { admitRun } from '../../gateway/runs/admission.ts';
import type { AdmittedRun } from '../../gateway/runs/admission.ts';

const limits = {
  models: { default: 'sonnet', allowed: ['sonnet', 'opus', 'claude-*'] },
  ...{ timeoutMs: 300_000, timeoutMaxMs: 3_600_000, promptBytes: 1000, systemBytes: 100 },
};
const anyApp: AppAccess = {
  ...{ appId: 1, name: 'a', models: null, maxConcurrent: null, timeoutSecsMax: null },
  maxQueued: null,
  workspaces: [],
};

const object = (more: object) => ({ type: 'object' as const, ...more });

function admit(request: Partial<RunRequest>, app: Partial<AppAccess> = {}): AdmittedRun {
  return admitRun({ prompt: 'hi', ...request }, { ...anyApp, ...app }, limits);
}

function refusalOf(request: Partial<RunRequest>, app: Partial<AppAccess> = {}): unknown {
  try {
    admit(request, app);
  } catch (err) {
    const { code, details } = err as { code: string; details?: { field: string } };
    return details === undefined ? code : `${code} ${details.field}`;
  }
  return null;
}

test('a bare prompt gets the defaults', () => {
  expect(admit({})).toEqual({
    session: null,
    claude: { prompt: 'hi', model: 'sonnet', system: null, effort: null, jsonSchema: null },
    profile: { maxTurns: null, maxBudgetUsd: null },
    ...{ timeoutMs: 300_000, promptBytes: 2, metadata: {} },
  });
});

test('every field arrives where it belongs', () => {
  const admitted = admit({
    ...{ model: 'opus', system: 'Be short.', effort: 'low', max_turns: 3, max_budget_usd: 0.5 },
    ...{ timeout_secs: 2.5, metadata: { a: 'b' }, files: [] },
    json_schema: object({ properties: { a: { type: 'string' } } }),
  });
  expect(admitted).toMatchObject({
    claude: { model: 'opus', system: 'Be short.', effort: 'low', jsonSchema: { type: 'object' } },
    profile: { maxTurns: 3, maxBudgetUsd: 0.5 },
    ...{ timeoutMs: 2500, metadata: { a: 'b' } },
  });
});

describe('a prompt', () => {
  test.each([' ', '\n\t \r\n', '\u00a0\u2003\u3000', '\ufeff'])(
    'of white space is refused: %j',
    (prompt) => {
      expect(refusalOf({ prompt })).toBe('invalid_request prompt');
    },
  );

  test.each<[name: string, prompt: string, refusal: string | null]>([
    ['as long as the limit', 'x'.repeat(1000), null],
    ['a byte longer', 'x'.repeat(1001), 'payload_too_large prompt'],
    ['of as many characters but more bytes', '\u20ac'.repeat(334), 'payload_too_large prompt'],
  ])('%s', (_name, prompt, refusal) => {
    expect(refusalOf({ prompt })).toBe(refusal);
  });

  test.each([
    '--help',
    '-1+2',
    '--',
    '-p',
    '$(id)',
    '`id`',
    '/clear',
    '@/etc/passwd',
    '\u001b[31m"}',
  ])('is text, whatever it looks like: %s', (prompt) => {
    expect(admit({ prompt }).claude.prompt).toBe(prompt);
  });
});

test('an empty system prompt is none', () => {
  expect(admit({ system: '' }).claude.system).toBeNull();
});

test('a system prompt has a limit of its own', () => {
  expect(refusalOf({ system: 'x'.repeat(100) })).toBeNull();
  expect(refusalOf({ system: 'x'.repeat(101) })).toBe('payload_too_large system');
});

describe('a model', () => {
  test.each(['sonnet', 'opus', 'claude-sonnet-4-5', 'claude-opus-4-5[1m]'])(
    '%s is allowed',
    (model) => {
      expect(admit({ model }).claude.model).toBe(model);
    },
  );

  test.each([
    '--dangerously-skip-permissions',
    '-p',
    'x y',
    'claude-x y',
    'claude-\nx',
    'claude-x\n',
    'claude-x\u0000',
    `claude-${'x'.repeat(300)}`,
    's\u043ennet',
    'claude-\u0430',
    'Sonnet',
    'haiku',
    'claude-*',
    '*',
    ' sonnet',
    '',
  ])('%j is refused', (model) => {
    expect(refusalOf({ model })).toBe('invalid_request model');
  });

  test('must be allowed for the app as well', () => {
    const app = { models: ['opus'] };
    expect(refusalOf({ model: 'opus' }, app)).toBeNull();
    expect(refusalOf({ model: 'sonnet' }, app)).toBe('invalid_request model');
    expect(refusalOf({}, app)).toBe('invalid_request model');
    expect(refusalOf({ model: 'haiku' }, { models: ['haiku'] })).toBe('invalid_request model');
  });
});

describe('timeout_secs', () => {
  test.each<[secs: number | undefined, appMax: number | null, ms: number]>([
    [undefined, null, 300_000],
    [3600, null, 3_600_000],
    [undefined, 10, 10_000],
    [10, 10, 10_000],
    [undefined, 7200, 300_000],
  ])('%s of an app that may have %s is %i ms', (secs, timeoutSecsMax, ms) => {
    const request = secs === undefined ? {} : { timeout_secs: secs };
    expect(admit(request, { timeoutSecsMax }).timeoutMs).toBe(ms);
  });

  test.each<[secs: number, appMax: number | null]>([
    [3600.5, null],
    [3601, 7200],
    [11, 10],
  ])('%s of an app that may have %s is refused', (secs, timeoutSecsMax) => {
    expect(refusalOf({ timeout_secs: secs }, { timeoutSecsMax })).toBe(
      'invalid_request timeout_secs',
    );
  });
});

function threeHundred(prefix: string, value: object): Record<string, object> {
  return Object.fromEntries(Array.from({ length: 300 }, (_, index) => [prefix + index, value]));
}

describe('a json_schema', () => {
  test('of more than a thousand objects and lists is refused before it costs anything', () => {
    const anyOf = Array.from({ length: 600 }, (_, index) => ({ required: [`a${index}`] }));
    expect(refusalOf({ json_schema: object({ anyOf }) })).toBe('invalid_request json_schema');
  });

  test('whose references would multiply is taken as it is', () => {
    const big = { type: 'object', properties: threeHundred('q', { type: 'string' }) };
    const properties = threeHundred('p', { $ref: '#/definitions/big' });
    expect(refusalOf({ json_schema: object({ properties, definitions: { big } }) })).toBeNull();
  });

  test.each<[name: string, schema: object]>([
    ['a description', object({ title: 'a', description: 'b', examples: [1], default: {} })],
    ['a format', object({ properties: { at: { type: 'string', format: 'date-time' } } })],
    [
      'definitions',
      object({ $defs: { a: { const: 1 } }, properties: { a: { $ref: '#/$defs/a' } } }),
    ],
    ['an id', object({ $id: 'https://example.com/a', properties: { a: { enum: ['x', null] } } })],
    ['a tuple', object({ properties: { a: { type: 'array', items: [{ type: 'string' }] } } })],
    ['several types', object({ properties: { a: { type: ['string', 'null'] } } })],
  ])('may have %s', (_name, schema) => {
    expect(admit({ json_schema: schema as never }).claude.jsonSchema).toEqual(schema);
  });

  test.each([
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2020-12/schema',
  ])('loses its $schema, which the CLI would drop the whole schema for: %s', ($schema) => {
    const properties = { a: { type: 'string' } };
    const admitted = admit({ json_schema: object({ $schema, properties }) });
    expect(admitted.claude.jsonSchema).toEqual({ type: 'object', properties });
  });

  test.each<[name: string, schema: object]>([
    ['a word it does not know', object({ foo: 1 })],
    ['such a word further in', object({ properties: { a: { type: 'string', foo: 1 } } })],
    ['a type that is none', object({ properties: { a: { type: 'text' } } })],
    ['words of a later draft', object({ properties: { a: { prefixItems: [] } } })],
    ['another of them', object({ unevaluatedProperties: false })],
    ['a reference to nothing', object({ properties: { a: { $ref: '#/$defs/b' } } })],
    ['a reference to elsewhere', object({ properties: { a: { $ref: 'https://example.com/b' } } })],
    ['a pattern that is none', object({ properties: { a: { type: 'string', pattern: '(' } } })],
    ['a property that is no schema', object({ properties: { a: null } })],
  ])('is refused for %s', (_name, schema) => {
    expect(refusalOf({ json_schema: schema as never })).toBe('invalid_request json_schema');
  });

  test('is refused when it is longer than 64 KB', () => {
    const schema = object({ description: 'x'.repeat(70_000) });
    expect(refusalOf({ json_schema: schema })).toBe('payload_too_large json_schema');
  });

  test('may be the same again and again', () => {
    const schema = object({ $id: 'https://example.com/twice' });
    for (let count = 0; count < 3; count += 1)
      expect(refusalOf({ json_schema: schema })).toBeNull();
  });
});
