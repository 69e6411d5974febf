import type { ApiMedia, ApiSchema } from '#shared/api-document/openapi.ts';

import type { AnswerHeader, RequestHeader } from './api-headers.ts';
// What the document says of a route beyond its schemas.
import type { ErrorCode } from './error-meanings.ts';

export const tags = {
  runs: 'Runs of Claude for an app: start them, wait for them, read them, end them.',
  sessions: 'Conversations: runs that know what was said before.',
  files: 'Files that a run can be given.',
  admin: 'For the operator, with the admin token.',
  health: 'How the gateway is. No token is needed.',
  metrics: 'Numbers for Prometheus.',
  document: 'This document.',
} as const;

export type Operation = {
  /** The operationId: what a generated client calls the function. */
  id: string;
  tag: keyof typeof tags;
  summary: string;
  description?: string;
  /** The good answers, by status: what each means. */
  answers: Readonly<Record<number, OperationAnswer>>;
  /** Headers of the request, beyond those of every request. */
  headers?: readonly RequestHeader[];
  /** What it may refuse, beyond what every route of its kind may. */
  errors?: readonly ErrorCode[];
  /** The fields of its form, where it takes one in place of JSON. */
  form?: ApiSchema;
  /** It may be sent without a body. */
  hasOptionalBody?: boolean;
};

export type OperationAnswer = {
  description: string;
  headers?: readonly AnswerHeader[];
  /** The stream of events that it is, or may be. */
  stream?: ApiMedia;
};

/** By method and path, such as `GET /runs/{run_id}`. */
export type Operations = Readonly<Record<string, Operation>>;
