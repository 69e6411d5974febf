// A committed API document, and values held against its schemas.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';

import type {
  ApiOperation,
  ApiResponse,
  ApiSchema,
  OpenApiDocument,
} from '#shared/api-document/openapi.ts';

import { resolve } from '../../cli/openapi/reference.ts';
import { projectDir } from './gateway-environment.ts';

export type DocumentedOperation = {
  /** Such as `POST /run`. */
  name: string;
  method: string;
  path: string;
  operation: ApiOperation;
};

export type CommittedApi = {
  file: string;
  text: string;
  document: OpenApiDocument;
  operations: DocumentedOperation[];
  answerOf: (operation: ApiOperation, status: number | string) => ApiResponse | null;
  /** Why the value does not fit the schema, or has more than it says; null when it is as it should be. */
  misfit: (schema: ApiSchema, value: unknown) => string | null;
};

export function readCommittedApi(file: string): CommittedApi {
  const text = readFileSync(join(projectDir, file), 'utf8');
  const document: OpenApiDocument = JSON.parse(text);
  const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true });
  ajv.addSchema(closed({ $defs: document.components.schemas }), 'document');
  const validators = new WeakMap<ApiSchema, ValidateFunction>();
  const validatorOf = (schema: ApiSchema): ValidateFunction => {
    const validate = validators.get(schema) ?? ajv.compile(closed(schema));
    validators.set(schema, validate);
    return validate;
  };
  return {
    ...{ file, text, document, operations: operationsOf(document) },
    answerOf: ({ responses }, status) => {
      const answer = responses[status];
      return answer === undefined ? null : resolve<ApiResponse>(answer, document);
    },
    misfit: (schema, value) => {
      const validate = validatorOf(schema);
      return validate(value) ? null : ajv.errorsText(validate.errors);
    },
  };
}

function operationsOf({ paths }: OpenApiDocument): DocumentedOperation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([key, operation]) => {
      const method = key.toUpperCase();
      return { name: `${method} ${path}`, method, path, operation };
    }),
  );
}

/** Answers may grow, but not without being documented. */
function closed(schema: object): object {
  const text = JSON.stringify(schema, (_key, part: unknown) =>
    isObject(part) && 'properties' in part && !('additionalProperties' in part)
      ? { ...part, additionalProperties: false }
      : part,
  );
  return JSON.parse(text.replaceAll('"#/components/schemas/', '"document#/$defs/'));
}

/** Every schema with an example or a default in this part of the document, and where it is. */
export function illustratedSchemas(node: unknown, at = '#'): { at: string; schema: ApiSchema }[] {
  if (!isObject(node)) return [];
  const parts = Object.entries(node).flatMap(([key, value]) =>
    illustratedSchemas(value, `${at}/${key}`),
  );
  const isOne = Array.isArray(node['examples']) || ('default' in node && 'type' in node);
  return isOne ? [{ at, schema: node }, ...parts] : parts;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
