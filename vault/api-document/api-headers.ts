// The headers that mean something to the vault or to its clients, beyond those of every service of ours.
import type { ApiHeader, ApiParameter } from '#shared/api-document/openapi.ts';

export const requestHeaders = {
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Makes the request safe to send again: within 24 hours the same request under the same key is done once. A key is for one method and path.',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: '^[ -~]+$',
      examples: ['5d6c1d2e-6d0b-4d55-9d2f-6f0a3c1f7b52'],
    },
  },
  'If-Match': {
    name: 'If-Match',
    in: 'header',
    required: true,
    description:
      'The version that the client has seen: the `ETag` of an answer, or its `version`. Nobody overwrites what somebody else has changed meanwhile.',
    schema: { type: 'string', pattern: '^(W/)?"?[0-9]{1,15}"?$', examples: ['"3"'] },
  },
  'If-None-Match': {
    name: 'If-None-Match',
    in: 'header',
    description: 'The `ETag` of the file that the client has: it is not sent again.',
    schema: { type: 'string', examples: ['"9f86d081884c7d65"'] },
  },
  'Last-Event-ID': {
    name: 'Last-Event-ID',
    in: 'header',
    description:
      'The number of the last event that the reader has: it gets those after it. It counts before `since`.',
    schema: { type: 'string', pattern: '^[0-9]{0,15}$', examples: ['7'] },
  },
} as const satisfies Record<string, ApiParameter>;

export type RequestHeader = keyof typeof requestHeaders;

export const answerHeaders = {
  'WWW-Authenticate': { description: 'always `Bearer`', schema: { type: 'string' } },
  Location: { description: 'the path of what was made', schema: { type: 'string' } },
  ETag: {
    description: 'the version: for If-Match, and of a file for If-None-Match',
    schema: { type: 'string' },
  },
  'Set-Cookie': {
    description: 'the refresh token and the CSRF token',
    schema: { type: 'string' },
  },
  'Content-Disposition': {
    description: 'the name of the file, and whether a browser may show it',
    schema: { type: 'string' },
  },
  'Idempotent-Replayed': {
    description: '`true` on an answer that was given before under the same Idempotency-Key',
    schema: { type: 'string' },
  },
  'X-RateLimit-Limit': {
    description: 'how many requests the caller may make in any 60 seconds, burst and all',
    schema: { type: 'integer', minimum: 1 },
  },
  'X-RateLimit-Remaining': {
    description: 'how many of them are left',
    schema: { type: 'integer', minimum: 0 },
  },
} as const satisfies Record<string, ApiHeader>;

export type AnswerHeader = keyof typeof answerHeaders;
