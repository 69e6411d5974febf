// What is wrong with a field, in words for whoever sent it: the validator's own are for its authors.
import type { ErrorObject } from 'ajv';

/** The limit, or whatever else the validator says of it. */
type Reason = (limit: string, fault: ErrorObject) => string;

const reasons: Readonly<Record<string, Reason>> = {
  required: () => 'is required',
  additionalProperties: () => 'is not a known field',
  enum: (_limit, { params }) => `must be one of ${JSON.stringify(params['allowedValues'])}`,
  const: (_limit, { params }) => `must be ${JSON.stringify(params['allowedValue'])}`,
  type: (_limit, { params }) => `must be of the type ${[params['type']].flat().join(' or ')}`,
  pattern: (_limit, { params }) =>
    `has a form that is not accepted: it must match ${params['pattern']}`,
  minLength: (limit) =>
    limit === '1' ? 'must not be empty' : `must have ${limit} or more characters`,
  maxLength: (limit) => `must have at most ${limit} characters`,
  minimum: (limit) => `must be at least ${limit}`,
  maximum: (limit) => `must be at most ${limit}`,
  minItems: (limit) => `must have at least ${limit} entries`,
  maxItems: (limit) => `must have at most ${limit} entries`,
  minProperties: (limit) => `must have at least ${limit} of its fields`,
  maxProperties: (limit) => `must have at most ${limit} fields`,
};

export function validationReason(fault: ErrorObject): string {
  const limit = JSON.stringify(fault.params['limit']) ?? '';
  return reasons[fault.keyword]?.(limit, fault) ?? fault.message ?? 'is not valid';
}
