import type { ApiMedia, ApiSchema } from '#shared/api-document/openapi.ts';
import { plainSchema } from '#shared/api-document/plain-schema.ts';
import { exampleOf } from '#shared/api-document/schema-example.ts';
// The events of a run as a schema: each type with the data that it carries.
import { runEventData, ShutdownNotice, shutdownEvent } from '#shared/gateway-event-api.ts';

const eventTypes: Readonly<Record<string, ApiSchema>> = Object.fromEntries(
  Object.entries({ ...runEventData, [shutdownEvent]: ShutdownNotice }).map(([type, data]) => [
    type,
    plainSchema(data),
  ]),
);

/** For the description of an operation. */
export const runEventList = Object.entries(eventTypes)
  .map(([type, data]) => `- \`${type}\`: ${data.description ?? ''}`)
  .join('\n');

const RunEvent: ApiSchema = {
  title: 'RunEvent',
  description: 'an event of a run; the last one is `run.completed` or `run.failed`',
  oneOf: Object.entries(eventTypes).map(([type, data]) => eventSchema(type, data)),
};

export const eventStreamMedia: ApiMedia = {
  schema: {
    type: 'string',
    description: 'server-sent events, as they come',
    contentMediaType: 'text/event-stream',
    contentSchema: { type: 'array', items: RunEvent },
  },
  example: exampleStream(['run.queued', 'run.started', 'message.delta', 'run.completed']),
};

function eventSchema(type: string, data: ApiSchema): ApiSchema {
  const isNumbered = type !== shutdownEvent;
  return {
    type: 'object',
    description: data.description ?? '',
    required: [...(isNumbered ? ['id'] : []), 'event', 'data'],
    properties: {
      ...(isNumbered ? { id: { type: 'integer', minimum: 1 } } : {}),
      event: { const: type },
      data,
    },
  };
}

function exampleStream(types: readonly string[]): string {
  return types
    .map((type, index) => {
      const data = JSON.stringify(exampleOf(eventTypes[type] ?? {}));
      return `id: ${index + 1}\nevent: ${type}\ndata: ${data}\n\n`;
    })
    .join('');
}
