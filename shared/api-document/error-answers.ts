// The failures of a route: one form for all, one answer for each status.
import { Type } from 'typebox';

import { ErrorObject } from '../api-schema.ts';
import type { JsonValue } from '../json-value.ts';
import type { Failures } from './document-parts.ts';
import type { ApiComponents, ApiReference, ApiResponse, ApiSchema } from './openapi.ts';
import { plainSchema } from './plain-schema.ts';

type Answers = Record<string, ApiResponse | ApiReference>;

/** One answer for each status, and one for whatever else befalls a request on its way. */
export function errorAnswers(codes: readonly string[], failures: Failures): Answers {
  const answers = [...byStatus(codes, failures)].map(([status, ofStatus]) => [
    status,
    isAlone(ofStatus)
      ? { $ref: `#/components/responses/${ofStatus[0]}` }
      : errorAnswer(ofStatus, failures),
  ]);
  return { ...Object.fromEntries(answers), default: { $ref: '#/components/responses/other' } };
}

/** What the answers of all routes refer to. */
export function errorComponents(
  codesOfRoutes: readonly (readonly string[])[],
  failures: Failures,
): Required<Pick<ApiComponents, 'responses' | 'examples'>> {
  const responses: Record<string, ApiResponse> = {};
  const examples: Record<string, { value: JsonValue }> = {};
  const together = codesOfRoutes.flatMap((codes) => [...byStatus(codes, failures).values()]);
  for (const codes of together) {
    if (isAlone(codes)) responses[codes[0]] = errorAnswer(codes, failures);
    for (const code of codes) examples[code] = { value: errorExample(code, failures) };
  }
  responses['other'] = { ...errorAnswer([], failures), description: otherFailures };
  return { responses, examples };
}

function byStatus(codes: readonly string[], failures: Failures): Map<number, string[]> {
  return Map.groupBy(new Set(codes), (code) => explained(code, failures).statusCode);
}

function isAlone(codes: readonly string[]): codes is readonly [string] {
  return codes.length === 1;
}

const otherFailures =
  'any other failure, in the same form: a request that did not arrive in time (408), headers that are too large (431)';

function errorAnswer(codes: readonly string[], failures: Failures): ApiResponse {
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  const meanings = codes.map((code) => `\`${code}\`: ${explained(code, failures).meaning}`);
  return {
    description: isAlone(codes) ? meanings.join() : meanings.map((each) => `- ${each}`).join('\n'),
    headers: headersOf(codes, failures),
    content: {
      'application/json': {
        schema: errorSchema(failures),
        ...(codes.length === 0 ? {} : { examples: Object.fromEntries(examples) }),
      },
    },
  };
}

const requestId = 'req_01m7yjjfcksfhngdhy16rrxw3j';

function errorSchema({ envelope, error = ErrorObject, fields = {} }: Failures): ApiSchema {
  const marks = Object.entries(envelope).map(([name, value]) => [name, Type.Literal(value)]);
  return plainSchema(
    Type.Object(
      {
        ...Object.fromEntries(marks),
        error,
        request_id: Type.String({ description: 'is in the log as well', examples: [requestId] }),
        ...fields,
      },
      { title: 'ErrorAnswer', description: 'the body of every answer that is not 2xx' },
    ),
  );
}

function headersOf(codes: readonly string[], failures: Failures): Record<string, ApiReference> {
  const isRetryable = codes.some((code) => explained(code, failures).retryable);
  const names = [
    'X-Request-Id',
    ...codes.flatMap((code) => failures.headers?.[code] ?? []),
    ...(isRetryable ? ['Retry-After'] : []),
  ];
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function errorExample(code: string, failures: Failures): JsonValue {
  const { statusCode, retryable, meaning } = explained(code, failures);
  const comesBack = statusCode === 429 || code === 'draining';
  const details = failures.details?.[code];
  return {
    ...failures.envelope,
    error: {
      code,
      message: meaning,
      retryable,
      ...(comesBack ? { retry_after_secs: 5 } : {}),
      ...(details === undefined ? {} : { details }),
    },
    request_id: requestId,
  };
}

/** A code without an explanation is a mistake of ours. */
function explained(code: string, { kinds, meanings }: Failures) {
  const kind = kinds[code];
  const meaning = meanings[code];
  if (kind !== undefined && meaning !== undefined) return { ...kind, meaning };
  throw new TypeError(`nothing says what the error ${code} is`);
}
