// A request as the API document shows it, and whether its answer is as documented.
import { createParser } from 'eventsource-parser';

import type {
  ApiContent,
  ApiHeader,
  ApiOperation,
  ApiResponse,
  ApiSchema,
} from '#shared/api-document/openapi.ts';

import { resolve } from '../../cli/openapi/reference.ts';
import type { CommittedApi, DocumentedOperation } from './committed-api.ts';

export type Called = { status: number; headers: Headers; text: string };
export type PathValues = Readonly<Record<string, string>>;

export type CallOptions = {
  url: string;
  /** By the name of the security scheme. */
  tokens: Readonly<Record<string, string>>;
  /** What stands in the path. */
  values?: PathValues | undefined;
  headers?: Record<string, string>;
  /** In place of the example. */
  body?: string;
};

export async function callAsShown(
  { method, path, operation }: DocumentedOperation,
  { url, tokens, values = {}, headers = {}, body }: CallOptions,
): Promise<Called> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  const sent = body ?? exampleBody(operation.requestBody?.content ?? {});
  const response = await fetch(`${url}${filled}`, {
    method,
    headers: {
      ...authorization(operation, tokens),
      ...(typeof sent === 'string' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(sent === undefined ? {} : { body: sent }),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

export function authorization(
  { security = [] }: ApiOperation,
  tokens: Readonly<Record<string, string>>,
): Record<string, string> {
  const [name] = Object.keys(security[0] ?? {});
  return name === undefined ? {} : { authorization: `Bearer ${tokens[name]}` };
}

function exampleBody(content: ApiContent): string | FormData | undefined {
  const json = content['application/json'];
  if (json !== undefined) return JSON.stringify(json.example);
  const form = content['multipart/form-data'];
  if (form === undefined) return undefined;
  const { file, ...fields } = form.example as { file: string };
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, String(value));
  data.append('file', new Blob([file]), 'notes.txt');
  return data;
}

/** What of the answer is not as the document says; empty when all is. */
export function deviations(
  api: CommittedApi,
  { operation }: DocumentedOperation,
  answer: Called,
): string[] {
  const documented = api.answerOf(operation, answer.status);
  if (documented === null) return [`${answer.status} is not documented: ${answer.text}`];
  return [...headerDeviations(api, documented, answer), ...bodyDeviations(api, documented, answer)];
}

function headerDeviations(
  { document, misfit }: CommittedApi,
  { headers = {} }: ApiResponse,
  answer: Called,
): string[] {
  const missing = answer.headers.has('x-request-id') ? [] : ['X-Request-Id is missing'];
  const misfits = Object.entries(headers).flatMap(([name, header]) => {
    const value = answer.headers.get(name);
    const { schema = {} } = resolve<ApiHeader>(header, document);
    const found =
      value === null ? null : misfit(schema, schema.type === 'integer' ? +value : value);
    return found === null ? [] : [`${name}: ${found}`];
  });
  const undocumented = ['location', 'retry-after', 'preference-applied', 'idempotent-replayed']
    .filter((name) => answer.headers.has(name))
    .filter((name) => !Object.keys(headers).some((each) => each.toLowerCase() === name));
  return [...missing, ...misfits, ...undocumented.map((name) => `${name} is not documented`)];
}

function bodyDeviations(
  { misfit }: CommittedApi,
  { content = {} }: ApiResponse,
  answer: Called,
): string[] {
  const type = answer.headers.get('content-type')?.split(';', 1)[0];
  if (type === undefined && Object.keys(content).length === 0) {
    return answer.text === '' ? [] : [`a body is not documented: ${answer.text}`];
  }
  const schema = content[type ?? '']?.schema;
  if (schema === undefined) return [`the type ${type} is not documented`];
  const found = bodyMisfit(misfit, schema, answer.text);
  return found === null ? [] : [`${found}: ${answer.text}`];
}

function bodyMisfit(
  misfit: CommittedApi['misfit'],
  schema: ApiSchema,
  text: string,
): string | null {
  if (schema.contentSchema !== undefined) return misfit(schema.contentSchema, eventsOf(text));
  return misfit(schema, schema.type === 'string' ? text : JSON.parse(text));
}

function eventsOf(text: string): unknown[] {
  const events: unknown[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const numbered = id === undefined ? {} : { id: Number(id) };
      events.push({ ...numbered, event, data: JSON.parse(data) as unknown });
    },
  });
  parser.feed(text);
  return events;
}
