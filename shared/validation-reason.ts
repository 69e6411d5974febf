// What is wrong with a field, in words for whoever sent it: the validator's own are for its authors.
import type { ErrorObject } from 'ajv';

type Reason = (parameters: Readonly<Record<string, unknown>>) => string;

const reasons: Readonly<Record<string, Reason>> = {
  required: () => 'is required',
  additionalProperties: () => 'is not a known field',
  enum: ({ allowedValues }) => `must be one of ${JSON.stringify(allowedValues)}`,
  const: ({ allowedValue }) => `must be ${JSON.stringify(allowedValue)}`,
  type: ({ type }) => `must be of the type ${[type].flat().join(' or ')}`,
  pattern: () => 'has a form that is not accepted',
  minLength: ({ limit }) =>
    limit === 1 ? 'must not be empty' : `must have ${limit} or more characters`,
  maxLength: ({ limit }) => `must have at most ${limit} characters`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  minItems: ({ limit }) => `must have at least ${limit} entries`,
  maxItems: ({ limit }) => `must have at most ${limit} entries`,
  minProperties: ({ limit }) => `must have at least ${limit} of its fields`,
  maxProperties: ({ limit }) => `must have at most ${limit} fields`,
};

export function validationReason(fault: ErrorObject): string {
  return reasons[fault.keyword]?.(fault.params) ?? fault.message ?? 'is not valid';
}
