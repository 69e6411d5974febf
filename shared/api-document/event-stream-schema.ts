// A stream of server-sent events as a schema: each type with the data that it carries.
import type { TSchema } from 'typebox';

import type { ApiMedia, ApiSchema } from './openapi.ts';
import { plainSchema } from './plain-schema.ts';
import { exampleOf } from './schema-example.ts';

export type EventStreamParts = {
  /** What one event is called, and what it is. */
  title: string;
  description: string;
  /** What each type of event carries. */
  data: Readonly<Record<string, TSchema>>;
  /** Types whose events have no `id`. */
  unnumbered?: readonly string[];
  /** The types of an example stream. */
  example: readonly string[];
};

export type EventStream = {
  /** For the description of an operation. */
  list: string;
  /** For the answers of an operation. */
  media: ApiMedia;
};

export function describeEventStream(parts: EventStreamParts): EventStream {
  const { title, description, unnumbered = [], example } = parts;
  const types = Object.entries(parts.data).map(([type, data]) => ({
    type,
    data: plainSchema(data),
    isNumbered: !unnumbered.includes(type),
  }));
  const items = { title, description, oneOf: types.map(eventSchema) };
  return {
    list: types.map(({ type, data }) => `- \`${type}\`: ${data.description ?? ''}`).join('\n'),
    media: {
      schema: {
        type: 'string',
        description: 'server-sent events, as they come',
        contentMediaType: 'text/event-stream',
        contentSchema: { type: 'array', items },
      },
      example: exampleStream(example, new Map(types.map(({ type, data }) => [type, data]))),
    },
  };
}

type EventType = { type: string; data: ApiSchema; isNumbered: boolean };

function eventSchema({ type, data, isNumbered }: EventType): ApiSchema {
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

function exampleStream(types: readonly string[], schemas: Map<string, ApiSchema>): string {
  return types
    .map((type, index) => {
      const data = JSON.stringify(exampleOf(schemas.get(type) ?? {}));
      return `id: ${index + 1}\nevent: ${type}\ndata: ${data}\n\n`;
    })
    .join('');
}
