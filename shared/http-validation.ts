// Fastify's own validator drops unknown fields and turns "1" into 1. Bodies are taken as they are
// or refused; only params and query strings, which are text by nature, are converted.
import { Ajv } from 'ajv';
import type { ErrorObject, Options, ValidateFunction } from 'ajv';
import type { FastifyRouteSchemaDef } from 'fastify/types/schema.js';

import { requestError } from './errors.ts';

const common = { strict: true, allowUnionTypes: true, useDefaults: true } satisfies Options;

export type ValidatorCompiler = (route: FastifyRouteSchemaDef<object>) => ValidateFunction;

export function createValidatorCompiler(): ValidatorCompiler {
  const strict = new Ajv(common);
  const coercing = new Ajv({ ...common, coerceTypes: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? strict : coercing).compile(schema);
}

export type SchemaFault = Pick<ErrorObject, 'instancePath' | 'keyword' | 'message' | 'params'>;

export function toValidationError(faults: readonly SchemaFault[], part: string): Error {
  const fault = faults[0];
  if (fault === undefined) {
    return requestError('invalid_request', `${part} is not valid`);
  }
  const field = fieldOf(fault, part);
  return requestError('invalid_request', `${field} ${reasonOf(fault)}`, { details: { field } });
}

function fieldOf(fault: SchemaFault, part: string): string {
  const path = fault.instancePath
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  const member: unknown =
    fault.params['missingProperty'] ??
    fault.params['additionalProperty'] ??
    fault.params['propertyName'];
  if (typeof member === 'string') {
    path.push(member);
  }
  return path.length === 0 ? part : path.join('.').slice(0, 200);
}

function reasonOf(fault: SchemaFault): string {
  switch (fault.keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return 'is not a known field';
    case 'enum':
      return `must be one of ${JSON.stringify(fault.params['allowedValues'])}`;
    default:
      return fault.message ?? 'is not valid';
  }
}
