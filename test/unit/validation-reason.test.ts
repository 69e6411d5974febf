import { Ajv } from 'ajv';
import { expect, test } from 'vitest';

import { validationReason } from '#shared/validation-reason.ts';

function reasonOf(schema: object, value: unknown): string | null {
  const validate = new Ajv({ strict: false }).compile(schema);
  const isRight = validate(value);
  const [fault] = validate.errors ?? [];
  return isRight || fault === undefined ? null : validationReason(fault);
}

test.each<[schema: object, value: unknown, reason: string]>([
  [{ minLength: 1 }, '', 'must not be empty'],
  [{ minLength: 8 }, 'x', 'must have 8 or more characters'],
  [{ maxLength: 1 }, 'xx', 'must have at most 1 characters'],
  [{ minimum: 1 }, 0, 'must be at least 1'],
  [{ maximum: 60 }, 61, 'must be at most 60'],
  [{ type: 'string' }, 1, 'must be of the type string'],
  [{ type: ['string', 'null'] }, 1, 'must be of the type string or null'],
  [{ pattern: '^a' }, 'b', 'has a form that is not accepted: it must match ^a'],
  [{ const: 'object' }, 'array', 'must be "object"'],
  [{ enum: ['fail', 'retry'] }, 'x', 'must be one of ["fail","retry"]'],
  [{ minItems: 1 }, [], 'must have at least 1 entries'],
  [{ maxItems: 1 }, [1, 2], 'must have at most 1 entries'],
  [{ minProperties: 1 }, {}, 'must have at least 1 of its fields'],
  [{ maxProperties: 0 }, { a: 1 }, 'must have at most 0 fields'],
  [{ required: ['a'] }, {}, 'is required'],
  [{ properties: {}, additionalProperties: false }, { a: 1 }, 'is not a known field'],
  [{ multipleOf: 2 }, 3, 'must be multiple of 2'],
])('%j refuses %j: it %s', (schema, value, reason) => {
  expect(reasonOf(schema, value)).toBe(reason);
});
