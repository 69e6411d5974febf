// The failures of a route: one form for all, one answer for each status.
import { Type } from 'typebox';

import type { ApiComponents, ApiReference, ApiResponse } from '#shared/api-document/openapi.ts';
import { plainSchema } from '#shared/api-document/plain-schema.ts';
import { ErrorObject } from '#shared/api-schema.ts';
import type { JsonValue } from '#shared/json-value.ts';

import type { Guard } from '../access/door.ts';
import { errorKind, errorMeanings } from './error-meanings.ts';
import type { ErrorCode } from './error-meanings.ts';

const ErrorAnswer = plainSchema(
  Type.Object(
    {
      ok: Type.Literal(false),
      error: ErrorObject,
      request_id: Type.String({
        description: 'is in the log as well',
        examples: ['req_01m7yjjfcksfhngdhy16rrxw3j'],
      }),
      run_id: Type.Optional(
        Type.String({
          description: 'once there was a run',
          examples: ['run_01m7yjjfcksfhngdhy16rrxw3j'],
        }),
      ),
    },
    { title: 'ErrorAnswer', description: 'the body of every answer that is not 2xx' },
  ),
);

const ofEveryRoute: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden',
  'wrong_host',
  'internal',
];
const ofRoutesWithToken: readonly ErrorCode[] = ['unauthorized', 'too_many_attempts'];
const ofRoutesThatDrain: readonly ErrorCode[] = ['draining'];
const ofRoutesWithBody: readonly ErrorCode[] = ['payload_too_large', 'unsupported_media_type'];

/** What a route may refuse before it does anything, by whom it is for and its method. */
export function commonErrorCodes(guard: Guard, method: string): ErrorCode[] {
  return [
    ...ofEveryRoute,
    ...(guard === 'public' ? [] : ofRoutesWithToken),
    ...(guard === 'app' || guard === 'admin' ? ofRoutesThatDrain : []),
    ...(method === 'GET' ? [] : ofRoutesWithBody),
  ];
}

type Answers = Record<string, ApiResponse | ApiReference>;

/** One answer for each status, and one for whatever else befalls a request on its way. */
export function errorAnswers(codes: readonly ErrorCode[]): Answers {
  const answers = [...byStatus(codes)].map(([status, ofStatus]) => [
    status,
    isAlone(ofStatus) ? { $ref: `#/components/responses/${ofStatus[0]}` } : errorAnswer(ofStatus),
  ]);
  return { ...Object.fromEntries(answers), default: { $ref: '#/components/responses/other' } };
}

/** What the answers of all routes refer to. */
export function errorComponents(
  codesOfRoutes: readonly (readonly ErrorCode[])[],
): Required<Pick<ApiComponents, 'responses' | 'examples'>> {
  const responses: Record<string, ApiResponse> = {};
  const examples: Record<string, { value: JsonValue }> = {};
  for (const codes of codesOfRoutes.flatMap((ofRoute) => [...byStatus(ofRoute).values()])) {
    if (isAlone(codes)) responses[codes[0]] = errorAnswer(codes);
    for (const code of codes) examples[code] = { value: errorExample(code) };
  }
  responses['other'] = { ...errorAnswer([]), description: otherFailures };
  return { responses, examples };
}

function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  return Map.groupBy(new Set(codes), (code) => errorKind(code).statusCode);
}

function isAlone(codes: readonly ErrorCode[]): codes is readonly [ErrorCode] {
  return codes.length === 1;
}

const otherFailures =
  'any other failure, in the same form: a request that did not arrive in time (408), headers that are too large (431)';

function errorAnswer(codes: readonly ErrorCode[]): ApiResponse {
  const examples = codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]);
  const meanings = codes.map((code) => `\`${code}\`: ${errorMeanings[code]}`);
  return {
    description: isAlone(codes) ? meanings.join() : meanings.map((each) => `- ${each}`).join('\n'),
    headers: headersOf(codes),
    content: {
      'application/json': {
        schema: ErrorAnswer,
        ...(codes.length === 0 ? {} : { examples: Object.fromEntries(examples) }),
      },
    },
  };
}

function headersOf(codes: readonly ErrorCode[]): Record<string, ApiReference> {
  const names = ['X-Request-Id'];
  if (codes.includes('unauthorized')) names.push('WWW-Authenticate');
  if (codes.some((code) => errorKind(code).retryable)) names.push('Retry-After');
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function errorExample(code: ErrorCode): JsonValue {
  const { statusCode, retryable } = errorKind(code);
  const comesBack = statusCode === 429 || code === 'draining';
  return {
    ok: false,
    error: {
      code,
      message: errorMeanings[code],
      retryable,
      ...(comesBack ? { retry_after_secs: 5 } : {}),
      ...(code === 'invalid_request' ? { details: { field: 'prompt' } } : {}),
    },
    request_id: 'req_01m7yjjfcksfhngdhy16rrxw3j',
  };
}
