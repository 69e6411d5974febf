// What a document says of a route beyond its schemas.
import type { ApiContent, ApiMedia, ApiOperation, ApiSchema } from './openapi.ts';

/** What operations may name: keys of the tables of the service. */
export type ApiWords = { tag: string; error: string; requestHeader: string; answerHeader: string };

export type Operation<Words extends ApiWords = ApiWords> = {
  /** The operationId: what a generated client calls the function. */
  id: string;
  tag: Words['tag'];
  summary: string;
  description?: string;
  /** The good answers, by status: what each means. */
  answers: Readonly<Record<number, OperationAnswer<Words>>>;
  /** Headers of the request, beyond those of every request. */
  headers?: readonly Words['requestHeader'][];
  /** In place of that of its kind. */
  security?: NonNullable<ApiOperation['security']>;
  /** The codes with which it may refuse, beyond those of every route of its kind. */
  errors?: readonly Words['error'][];
  /** The fields of its form, where it takes one in place of JSON. */
  form?: ApiSchema;
  /** It may be sent without a body. */
  hasOptionalBody?: boolean;
};

export type OperationAnswer<Words extends ApiWords = ApiWords> = {
  description: string;
  headers?: readonly Words['answerHeader'][];
  /** What it may be that is not JSON. */
  content?: ApiContent;
  /** The stream of events that it is, or may be. */
  stream?: ApiMedia;
};

/** By method and path, such as `GET /runs/{run_id}`. */
export type Operations<Words extends ApiWords = ApiWords> = Readonly<
  Record<string, Operation<Words>>
>;
