// What apps ask of the gateway about conversations, and what it answers.
import { Type } from 'typebox';
import type { Static } from 'typebox';

import { NextPage, Nullable, pageLimit, Time } from './api-schema.ts';
import { RunRequest } from './gateway-run-api.ts';
import { Metadata, sessionId } from './gateway-run-fields.ts';

const { system, model, json_schema: jsonSchema } = RunRequest.properties;

export const SessionRequest = Type.Object(
  {
    ...{ system, model, json_schema: jsonSchema, metadata: Type.Optional(Metadata) },
    workspace: Type.Optional(
      Type.String({
        maxLength: 64,
        description: 'a directory of the host it works in: one of those that `GET /me` lists',
        examples: ['notes'],
      }),
    ),
  },
  {
    additionalProperties: false,
    title: 'SessionRequest',
    description: 'what holds for every run of the conversation',
    examples: [{ system: 'Answer in one sentence.', model: 'sonnet' }],
  },
);
export type SessionRequest = Static<typeof SessionRequest>;

export const SessionView = Type.Object(
  {
    session_id: sessionId,
    model: Type.String({ description: 'as it was asked for', examples: ['sonnet'] }),
    workspace: Nullable(Type.String({ examples: ['notes'] })),
    system: Nullable(Type.String({ examples: ['Answer in one sentence.'] })),
    json_schema: Nullable(
      Type.Object({}, { additionalProperties: true, description: 'every answer fits it' }),
    ),
    metadata: Metadata,
    turns: Type.Integer({
      minimum: 0,
      description: 'how many runs have been answered',
      examples: [3],
    }),
    is_live: Type.Boolean({
      description: 'its process is kept: the next run costs no start',
      examples: [true],
    }),
    created_at: Time,
    last_used_at: Time,
    expires_at: Type.String({
      description: 'when it ends unless it is used before that',
      examples: ['2026-12-04T12:00:00.000Z'],
    }),
  },
  {
    title: 'Session',
    description: 'a conversation: runs that name it know what was said in it before',
  },
);
export type SessionView = Static<typeof SessionView>;

export const SessionList = Type.Object(
  { items: Type.Array(SessionView), next: NextPage },
  { title: 'SessionList', description: 'a page of sessions, newest first' },
);
export type SessionList = Static<typeof SessionList>;

export const SessionListQuery = Type.Object(
  {
    limit: pageLimit,
    after: Type.Optional(
      Type.String({
        pattern: '^sess_[0-9a-z]{26}$',
        description: 'the `next` of the page before',
      }),
    ),
  },
  { additionalProperties: false },
);

/** Any text: an id that cannot exist is simply not found. */
export const SessionParams = Type.Object({ session_id: sessionId });
