// The headers that mean something to the gateway or to its clients, beyond those of every service of ours.
import type { ApiHeader, ApiParameter } from '#shared/api-document/openapi.ts';

export const requestHeaders = {
  'Idempotency-Key': {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'Makes the request safe to send again: within 24 hours the same request under the same key is done once. A key is for one path.',
    schema: {
      type: 'string',
      minLength: 1,
      maxLength: 255,
      pattern: '^[ -~]+$',
      examples: ['5d6c1d2e-6d0b-4d55-9d2f-6f0a3c1f7b52'],
    },
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description: '`respond-async`: answer at once with 202, as `POST /runs` does.',
    schema: { type: 'string', examples: ['respond-async'] },
  },
  'Last-Event-ID': {
    name: 'Last-Event-ID',
    in: 'header',
    description: 'The number of the last event that the reader has: it gets those after it.',
    schema: { type: 'string', pattern: '^[0-9]{0,15}$', examples: ['7'] },
  },
  traceparent: {
    name: 'traceparent',
    in: 'header',
    description: 'W3C Trace Context: carried into log and events. Anything else is ignored.',
    schema: {
      type: 'string',
      examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    },
  },
} as const satisfies Record<string, ApiParameter>;

export type RequestHeader = keyof typeof requestHeaders;

export const answerHeaders = {
  'WWW-Authenticate': { description: 'always `Bearer`', schema: { type: 'string' } },
  Location: { description: 'the path of the run', schema: { type: 'string' } },
  'Preference-Applied': {
    description: '`respond-async` where the request preferred it',
    schema: { type: 'string' },
  },
  'Idempotent-Replayed': {
    description: '`true` on an answer that was given before under the same Idempotency-Key',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, ApiHeader>;

export type AnswerHeader = keyof typeof answerHeaders;
