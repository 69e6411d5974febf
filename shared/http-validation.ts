// Fastify's own validator drops unknown fields and turns "1" into 1. Bodies are taken as they are
// or refused; only params and query strings, which are text by nature, are converted.
import { Ajv } from 'ajv';
import type { ErrorObject, Options } from 'ajv';
import type { FastifyRouteSchemaDef } from 'fastify/types/schema.js';

import { requestError } from './errors.ts';
import type { AppError } from './errors.ts';
import { findUnsafeValue } from './json-text.ts';
import { validationReason } from './validation-reason.ts';

const common = { strict: true, allowUnionTypes: true, useDefaults: true } satisfies Options;

export type Validator = (value: unknown) => true | { error: AppError };

export type ValidatorCompiler = (route: FastifyRouteSchemaDef<object>) => Validator;

export function createValidatorCompiler(): ValidatorCompiler {
  const strict = new Ajv(common);
  const coercing = new Ajv({ ...common, coerceTypes: true });
  return ({ schema, httpPart = 'request' }) => {
    const isBody = httpPart === 'body';
    const validate = (isBody ? strict : coercing).compile(schema);
    return (value) => {
      if (!validate(value)) {
        return { error: toRefusal(validate.errors?.[0], httpPart) };
      }
      // Bodies have been searched. The coercing Ajv lets the text 1e309 pass any maximum.
      const unsafe = isBody ? null : findUnsafeValue(value);
      return unsafe === null ? true : { error: refusal(unsafe.field, unsafe.reason) };
    };
  };
}

function toRefusal(fault: ErrorObject | undefined, part: string): AppError {
  return fault === undefined
    ? refusal(part, 'is not valid')
    : refusal(fieldOf(fault, part), validationReason(fault));
}

function refusal(field: string, reason: string): AppError {
  return requestError('invalid_request', `${field} ${reason}`, { details: { field } });
}

function fieldOf(fault: ErrorObject, part: string): string {
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
