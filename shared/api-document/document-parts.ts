// What a service has to say for its document to be written: all of it data, but for who may call a route.
import type { FastifyContextConfig } from 'fastify';
import type { TSchema } from 'typebox';

import type { ErrorDetails, ErrorKind } from '../errors.ts';
import type { ErrorEnvelope } from '../http-error-answer.ts';
import type { JsonValue } from '../json-value.ts';
import type { ApiHeader, ApiOperation, ApiParameter, OpenApiDocument } from './openapi.ts';
import type { Operations } from './operation.ts';

export type DocumentParts = {
  /** Its name in sentences, and its folder: `gateway`. */
  service: string;
  info: OpenApiDocument['info'];
  /** What each tag stands for, in the order in which a page shows them. */
  tags: Readonly<Record<string, string>>;
  /** In the order of the document. */
  operations: Operations;
  accessOf: (route: DocumentedRoute) => RouteAccess;
  failures: Failures;
  /** Beyond those of every service of ours. */
  requestHeaders: Readonly<Record<string, ApiParameter>>;
  answerHeaders: Readonly<Record<string, ApiHeader>>;
  securitySchemes: Readonly<Record<string, JsonValue>>;
};

export type DocumentedRoute = {
  method: string;
  /** What the route was registered with. */
  config: FastifyContextConfig;
};

export type RouteAccess = {
  security: NonNullable<ApiOperation['security']>;
  /** The codes with which any route of this kind may refuse. */
  errors: readonly string[];
  /** Said after the description: what a caller needs. */
  needs?: string;
  /** Headers of its good answers, beyond those of every answer. */
  answerHeaders?: readonly string[];
};

/** One form for all. The tables are by code. */
export type Failures = {
  envelope: ErrorEnvelope;
  /** The schema of `error`, where the usual one does not fit. */
  error?: TSchema;
  /** What may stand beside `error` and `request_id`. */
  fields?: Readonly<Record<string, TSchema>>;
  kinds: Readonly<Record<string, Omit<ErrorKind, 'code'>>>;
  /** What happened, what to do. */
  meanings: Readonly<Record<string, string>>;
  /** The `details` of the example. */
  details?: Readonly<Record<string, ErrorDetails>>;
  /** Headers that come with a code, beyond those of every failure. */
  headers?: Readonly<Record<string, readonly string[]>>;
};
