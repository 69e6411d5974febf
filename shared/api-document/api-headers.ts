// The headers of every service of ours.
import type { ApiHeader, ApiParameter } from './openapi.ts';

export function requestHeadersOf(service: string) {
  return {
    'X-Request-Id': {
      name: 'X-Request-Id',
      in: 'header',
      description: `Becomes the \`request_id\` of answer and log: 1 to 64 of \`A-Z a-z 0-9 . _ -\`. Without it, or with another one, the ${service} makes its own.`,
      schema: { type: 'string', examples: ['my-app-4711'] },
    },
  } as const satisfies Record<string, ApiParameter>;
}

export const answerHeadersOfAll = {
  'X-Request-Id': {
    description: 'the id of the request, which is in the log as well',
    schema: { type: 'string' },
  },
  'Retry-After': {
    description: 'seconds after which to come back, where that is known',
    schema: { type: 'integer', minimum: 1 },
  },
} as const satisfies Record<string, ApiHeader>;
